// SPDX-License-Identifier: Apache-2.0
#include "worker/tasks/group.h"

namespace grove {

void group::add(const task_ptr& task) {
  const auto state = kept();
  if (state->contains(task.get())) return;
  (void)state->enter(std::nullopt);
  state->add_entered(task);
}

bool group::join(std::optional<steady_time> until, task_errors errors) {
  const auto state = kept();
  if (state->has_caller()) throw greenlet_error("a member joins its own group: it would wait for itself");
  const std::vector<task_ptr> joined = errors == task_errors::raise ? state->members() : std::vector<task_ptr>();
  const bool empty = state->wait_empty(until);
  for (const task_ptr& at : joined) {
    if (at->ready() && !at->successful()) std::rethrow_exception(at->exception());
  }
  return empty;
}

bool group::kill(kill_mode mode, const std::exception_ptr& thrown, std::optional<steady_time> until) {
  const auto state = kept();
  if (mode == kill_mode::wait) return state->kill_and_wait(thrown, until);
  state->kill_all(thrown);
  return state->size() == 0;
}

bool group::kill_one(const task_ptr& task, kill_mode mode, std::exception_ptr thrown,
                     std::optional<steady_time> until) {
  return kept()->kill_one(task, mode, std::move(thrown), until);
}

}  // namespace grove
