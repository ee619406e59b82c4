// SPDX-License-Identifier: Apache-2.0
#include "worker/io/use_greenlet.h"

#include <asio/cancellation_type.hpp>

#include "base/check.h"

namespace grove::io::detail {

namespace {
// Completions run at once after a cancellation; an operation that takes longer than so many handlers ignores
// it.
constexpr int handlers_until_completion_max = 100'000;
}  // namespace

operation::~operation() {
  if (!under_way_ || done_) return;
  // The greenlet is unwound by a drop and cannot wait any more, but the operation borrows from its stack.
  for (int handlers = 0; !done_; ++handlers) {
    cancellation.emit(asio::cancellation_type::terminal);
    GROVE_CHECK(handlers < handlers_until_completion_max,
                "an operation that cannot be cancelled borrows from a greenlet that is unwound");
    hub_.io().poll_one();
  }
}

void operation::await() {
  if (waiter_.park() != waiter::outcome::interrupted) return;
  interrupted_ = true;
  // Once is not enough: a cancellation between two steps of a composed operation reaches neither, unless it asks.
  while (!done_) {
    room.tell(nullptr);
    cancellation.emit(asio::cancellation_type::terminal);
    room.tell(&waiter_);
    waiter_.wait_uninterrupted();
  }
  room.tell(nullptr);
}

void operation::settle(bool succeeded) {
  if (!interrupted_ || succeeded) return;
  if (std::exception_ptr thrown = waiter_.take_interrupt()) std::rethrow_exception(thrown);
}

}  // namespace grove::io::detail
