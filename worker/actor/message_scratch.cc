// SPDX-License-Identifier: Apache-2.0
#include "worker/actor/message_scratch.h"

namespace grove::message_scratch {

void trim(message_objects& kept) {
  // The last ones were used last.
  if (kept.size() > kept_max) kept.erase(kept.begin(), kept.end() - static_cast<std::ptrdiff_t>(kept_max));
  std::erase_if(kept, [](const auto& m) { return m->SpaceUsedLong() > kept_bytes_max; });
}

}  // namespace grove::message_scratch
