// SPDX-License-Identifier: Apache-2.0
#include "worker/greenlet/exchange.h"

#include <cstdlib>

#include "base/check.h"

namespace grove {

void prepare(execution_context& made, std::byte* base, std::byte* top, void (*entry)(void* left)) noexcept {
  GROVE_CHECK(base != nullptr && base < top, "a context is prepared that has no stack");
  const auto bytes = static_cast<std::size_t>(top - base);
  made.exceptions = {};
  made.fiber.begin(base, bytes);
  made.suspended_at = make_jump_point(top, bytes, entry);
}

void leave_for_ever(execution_context& from, execution_context& to, exception_state& exceptions) noexcept {
  exceptions = to.exceptions;
  from.fiber.end(to.fiber);
  jump(from.suspended_at, to.suspended_at, &from);
  std::abort();
}

}  // namespace grove
