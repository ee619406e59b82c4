// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <utility>

#include "worker/tasks/task_base.h"

namespace grove {

/// A scope that a task does not outlive: its end joins the task; an exception that leaves the scope, or ends the join,
/// kills it first (gevent's `with greenlet:`).
/// Switches: at its end. In the hub's context, and in a greenlet that is unwound by a drop, it kills without waiting.
/// Errors: what ends the join. The task's own error stays in the task.
/// Cancel: after the kill it waits for the task without a limit; what is delivered meanwhile is thrown by the next wait.
class joining {
 public:
  explicit joining(task_ptr task) noexcept : task_(std::move(task)) {}
  joining(const joining&) = delete;
  joining& operator=(const joining&) = delete;
  ~joining() noexcept(false);

 private:
  void kill();

  task_ptr task_;
  int exceptions_ = std::uncaught_exceptions();
};

}  // namespace grove
