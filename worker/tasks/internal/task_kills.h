// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <list>

namespace grove {
class greenlet;
}

namespace grove::tasks::detail {

/// What kills have left with a task; few tasks have it.
struct task_kills {
  /// Those that wait for their turn, behind what is pending in the greenlet's slots.
  std::list<std::exception_ptr> deferred;
  /// The greenlet that destroys the captures of a task which was killed before it started.
  const greenlet* ends_in = nullptr;
};

}  // namespace grove::tasks::detail
