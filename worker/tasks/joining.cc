// SPDX-License-Identifier: Apache-2.0
#include "worker/tasks/joining.h"

#include "worker/greenlet/greenlet.h"
#include "worker/hub/hub.h"

namespace grove {

joining::~joining() noexcept(false) {
  if (std::uncaught_exceptions() > exceptions_) {
    kill();
    return;
  }
  try {
    task_->join();
  } catch (...) {
    kill();
    throw;
  }
}

void joining::kill() {
  if (!task_->exit_pending()) task_->kill(kill_mode::do_not_wait);
  if (!task_->on().in_hub() && !greenlet::current().unwinding()) task_->join_uninterrupted();
}

}  // namespace grove
