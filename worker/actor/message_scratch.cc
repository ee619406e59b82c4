// SPDX-License-Identifier: Apache-2.0
#include "worker/actor/message_scratch.h"

namespace grove {
namespace {

void trim_list(message_scratch::list& kept) {
  // The last ones were used last.
  if (kept.size() > message_scratch::kept_max) {
    kept.erase(kept.begin(), kept.end() - static_cast<std::ptrdiff_t>(message_scratch::kept_max));
  }
  std::erase_if(kept, [](const auto& m) { return m->SpaceUsedLong() > message_scratch::kept_bytes_max; });
}

}  // namespace

message_scratch::message_scratch(const actor_types& types) {
  by_type_.resize(types.size());
  for (std::size_t i = 0; i < types.size(); ++i)
    by_type_[i].requests.resize(types.at(i)->methods().size());
}

void message_scratch::trim() {
  for (type_lists& of : by_type_) {
    trim_list(of.states);
    for (list& requests : of.requests)
      trim_list(requests);
  }
}

}  // namespace grove
