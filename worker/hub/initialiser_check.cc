// SPDX-License-Identifier: Apache-2.0
#include "worker/hub/internal/initialiser_check.h"

#include <execinfo.h>

#include <optional>
#include <string>
#include <vector>

#include "worker/greenlet/errors.h"
#include "worker/greenlet/initialisers.h"
#include "worker/hub/stack_capture.h"

namespace grove::hubs::detail {

void waits_in_initialiser(hub& on, const greenlet& self) {
  std::optional<std::string> told = greenlets::detail::check_wait_in_initialiser(self);
  if (!told) return;
  std::vector<void*> frames(stack_capture::frames_max);
  frames.resize(static_cast<std::size_t>(::backtrace(frames.data(), static_cast<int>(frames.size()))));
  const char* before = "; stack: ";
  for (const std::string& frame : describe_frames(frames)) {
    *told += before + frame;
    before = " < ";
  }
  on.report("a wait", std::make_exception_ptr(greenlet_error(*told)));
}

}  // namespace grove::hubs::detail
