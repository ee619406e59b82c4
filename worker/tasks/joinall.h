// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <limits>
#include <optional>
#include <vector>

#include "worker/tasks/task.h"

namespace grove {

enum class task_errors : std::uint8_t { keep, raise };

struct joinall_options {
  std::optional<steady_time> until{};
  /// raise: the first error of a task is thrown as soon as it is there; the other tasks go on.
  task_errors errors = task_errors::keep;
  /// How many must have finished.
  std::size_t count = std::numeric_limits<std::size_t>::max();
};

struct killall_options {
  kill_mode mode = kill_mode::wait;
  std::exception_ptr thrown{};  ///< null: greenlet_exit
  std::optional<steady_time> until{};
};

namespace tasks::detail {
std::vector<task_ptr> join_tasks(const std::vector<task_ptr>& tasks, const joinall_options& options);
bool kill_tasks(const std::vector<task_ptr>& tasks, const killall_options& options);

template <typename Tasks>
std::vector<task_ptr> handles_of(const Tasks& tasks) {
  std::vector<task_ptr> handles;
  std::ranges::copy(tasks, std::back_inserter(handles));
  return handles;
}
}  // namespace tasks::detail

/// Waits for the end of `tasks`, any range of task handles, or of as many as the options say. Returns those that have
/// finished, in the order in which they did: all of them unless it was limited, and never more than `count`.
/// Switches: not if enough have finished.
/// Errors: with task_errors::raise, what one of those that it would return failed with.
/// Cancel: the tasks go on.
template <typename Tasks>
std::vector<task_ptr> joinall(const Tasks& tasks, const joinall_options& options = {}) {
  return tasks::detail::join_tasks(tasks::detail::handles_of(tasks), options);
}

/// Kills `tasks`, any range of task handles: first those that have not started, and the caller itself, if it is one of
/// them, last, as task_base::kill() says it: with kill_mode::wait that throws at once. With kill_mode::wait it waits for
/// their end, at most until the options' time. True if all have finished.
template <typename Tasks>
bool killall(const Tasks& tasks, const killall_options& options = {}) {
  return tasks::detail::kill_tasks(tasks::detail::handles_of(tasks), options);
}

}  // namespace grove
