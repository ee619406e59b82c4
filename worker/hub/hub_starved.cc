// SPDX-License-Identifier: Apache-2.0

// Spawned greenlets that have found no stack. A stack that comes back may help, or a higher bound; where the system has
// no memory for more stacks, time alone may, too.

#include <chrono>

#include "worker/hub/hub.h"
#include "worker/hub/task_base.h"

namespace grove {

namespace {
constexpr std::chrono::milliseconds retry_interval{100};
}

void hub::starve(task_base& task) {
  starved_.push(task);
  task.starved_ = true;
  starved_at_ = thread_stacks().in_use();
  if (!thread_stacks().exhausted()) starved_retry_.arm(*this, time_after(now(), retry_interval));
}

bool hub::may_feed() const noexcept {
  const stack_pool& stacks = thread_stacks();
  return !stacks.exhausted() && (!starved_retry_.armed() || stacks.in_use() < starved_at_);
}

void hub::feed_starved() noexcept {
  starved_retry_.disarm();
  while (!starved_.empty()) {
    auto& task = static_cast<task_base&>(starved_.pop());
    task.starved_ = false;
    post(task);
  }
}

}  // namespace grove
