// SPDX-License-Identifier: Apache-2.0
#pragma once

// The slow half of a switch to a continulet, and the rules of who may continue what.
//
// A flow is a sequence of control with a stack of its own: a greenlet begins with one, and every continulet's body is
// one. Greenlets and continulets are the places for flows: a greenlet's context has the flow that it runs, a
// continulet's slot the one that it holds. There are as many places as unfinished flows, and a switch to a continulet
// exchanges what two places have. When a body ends, its own continulet's slot is what goes on.
//
// So, from any place, "the owner of the flow that is here" leads on to another place, and finally back round. Such a
// ring never has more than one greenlet in it; this is what keeps the flow that a greenlet began with from ever running
// in another one. The continulets in a greenlet's ring are in use by it. A switch inside the ring splits it, a switch
// to a free continulet joins two; one to a continulet in another greenlet's ring is refused.

#include "worker/greenlet/continulet.h"
#include "worker/greenlet/internal/thread_state.h"

namespace grove::greenlets::detail {

struct flow_switching {
  /// A switch to `at`, double with `to`, that delivers `what` and returns what comes back.
  static switch_value deliver(continulet& at, continulet* to, delivery what);
  static void permute(thread_state& thread, std::span<continulet* const> continulets);

  /// The context of the flow that a greenlet began with, wherever it is stored.
  [[nodiscard]] static execution_context& first_flow(greenlet& of) noexcept;

  /// A destructor has switched away while an exception unwinds one of the greenlet's flows.
  [[nodiscard]] static bool in_destructor(const greenlet& suspended) noexcept;
  /// The innermost flow that a greenlet runs, unless it is the one it began with; and what goes on when that ends.
  [[nodiscard]] static const continulet* running_flow(const greenlet& of) noexcept { return of.context_.flow; }
  [[nodiscard]] static const execution_context& slot_of(const continulet& of) noexcept { return of.slot_; }
  /// Lets all flows of a suspended greenlet look at their own stacks, the innermost first, then who resumed it, and so on.
  static void inspect(thread_state& thread, greenlet& of, inspection& found) noexcept;

  /// The last handle has gone, on the continulet's own thread.
  static void dropped(continulet& target) noexcept;
  /// A handle goes on another thread.
  static void dropped_elsewhere(continulet& target) noexcept;
  /// Drops on the owner what dropped_elsewhere() has handed to it.
  static void take_dropped(continulet* list) noexcept;
  /// What an arrival does for those on the thread's list: gives back the stacks of finished ones, and unwinds those
  /// that are free and have no handle.
  static void settle(thread_state& thread) noexcept;

 private:
  static void check_usable(const thread_state& thread, const continulet& target);
  [[nodiscard]] static bool try_reserve_stack(thread_state& thread, continulet& unstarted);
  static switch_value exchange_flows(thread_state& thread, continulet& at, continulet* to, delivery what);
  /// Before and after a change of the current greenlet's ring.
  static void leave_ring(thread_state& thread) noexcept;
  static void join_ring(const thread_state& thread) noexcept;
  /// Lets unstarted bodies whose turn it is begin, or finish without running if they cannot take `what`.
  static void make_runnable(thread_state& thread, delivery& what) noexcept;
  [[noreturn]] static void run(void* left);
  [[noreturn]] static void finish(thread_state& thread, delivery what) noexcept;
  /// Keeps `target` on the thread's list, with a handle, until somebody arrives.
  static void list(thread_state& thread, continulet& target) noexcept;
  static void unwind(thread_state& thread, continulet& dropped) noexcept;
  static void unwind_once(thread_state& thread, continulet& dropped, std::exception_ptr thrown) noexcept;
};

}  // namespace grove::greenlets::detail
