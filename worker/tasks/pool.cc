// SPDX-License-Identifier: Apache-2.0
#include "worker/tasks/pool.h"

#include "worker/greenlet/off_stack.h"

namespace grove {

namespace tasks::detail {

bool pool_places::take_place(std::optional<steady_time> until) {
  if (until) return free_.acquire_until(*until);
  free_.acquire();
  return true;
}

bool pool_places::wait_available(std::optional<steady_time> until) {
  while (free_.permits() == 0) {
    const off_stack<waiter> available(on());
    free_.subscribe(*available);
    if (!until)
      available->wait();
    else if (!available->wait_until(*until))
      return false;
  }
  return true;
}

}  // namespace tasks::detail

bool pool::try_add(const task_ptr& task) {
  if (contains(task)) return true;
  if (!kept()->try_enter()) return false;
  kept()->add_entered(task);
  return true;
}

bool pool::add_until(const task_ptr& task, steady_time until) {
  const auto state = kept();
  if (state->contains(task.get())) return true;
  if (!state->enter(until)) return false;
  state->add_entered(task);
  return true;
}

bool pool::wait_available(std::optional<steady_time> until) {
  const auto state = kept();
  return static_cast<tasks::detail::pool_places&>(*state).wait_available(until);
}

}  // namespace grove
