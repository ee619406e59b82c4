// SPDX-License-Identifier: Apache-2.0
#include "worker/mesh/worker_wakes.h"

#include <unistd.h>

namespace grove {

void wake_descriptors::wake(std::uint32_t slot) noexcept {
  const std::uint64_t one = 1;
  // It can only fail when the counter is about to overflow, and then the eventfd is readable already.
  [[maybe_unused]] const auto written = ::write(by_slot_[slot], &one, sizeof one);
}

void wake_descriptors::clear(std::uint32_t slot) noexcept {
  std::uint64_t count = 0;
  // Nothing to read is no error here: somebody else's event may have woken the hub.
  [[maybe_unused]] const auto got = ::read(by_slot_[slot], &count, sizeof count);
}

}  // namespace grove
