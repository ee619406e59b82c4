// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <semaphore>
#include <utility>

#include "tests/support/hub_fixture.h"
#include "worker/tasks/task.h"

namespace grove {

/// Holds calls on other threads until it is opened.
class gate {
 public:
  void open() { open_.release(1); }
  void pass() {
    open_.acquire();
    open_.release();
  }

 private:
  std::counting_semaphore<> open_{0};
};

/// A hub that really sleeps until other threads wake it; its clock stands still all the same.
class threads_fixture : public hub_fixture {
 protected:
  /// Runs the loop until `body` has returned in a greenlet.
  template <typename F>
  auto run(F body) {
    auto task = spawn(std::move(body));
    task->link([this](task_base&) { loop.stop(); });
    loop.run();
    return task->get();
  }
};

}  // namespace grove
