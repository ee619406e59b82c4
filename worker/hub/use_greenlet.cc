// SPDX-License-Identifier: Apache-2.0
#include "worker/hub/use_greenlet.h"

#include <asio/cancellation_type.hpp>

#include "base/check.h"

namespace grove::hubs::detail {

namespace {
// Completions run at once after a cancellation; an operation that takes longer than so many handlers ignores
// it.
constexpr int handlers_until_completion_max = 100'000;
}  // namespace

operation::~operation() {
  if (!under_way_ || done_) return;
  // The greenlet is unwound by a drop and cannot wait any more, but the operation borrows from its stack.
  cancellation.emit(asio::cancellation_type::terminal);
  for (int handlers = 0; !done_; ++handlers) {
    GROVE_CHECK(handlers < handlers_until_completion_max,
                "an operation that cannot be cancelled borrows from a greenlet that is unwound");
    hub_.io().poll_one();
  }
}

void operation::await() {
  if (waiter_.park() != waiter::outcome::interrupted) return;
  interrupted_ = true;
  if (done_) return;
  cancellation.emit(asio::cancellation_type::terminal);
  waiter_.wait_uninterrupted();
}

void operation::settle(bool succeeded) {
  if (!interrupted_ || succeeded) return;
  if (std::exception_ptr thrown = waiter_.take_interrupt()) std::rethrow_exception(thrown);
}

}  // namespace grove::hubs::detail
