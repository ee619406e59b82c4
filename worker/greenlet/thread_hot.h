// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

#include "worker/greenlet/exception_state.h"
#include "worker/greenlet/jump.h"
#include "worker/greenlet/switch_value.h"

namespace grove {
class greenlet;
}

namespace grove::greenlets::detail {

/// Why a switch has to take the slow path on one of its sides: something is delivered, or must be cleaned up.
enum attention : unsigned {
  attention_value = 1,          // inbox holds a value for the greenlet that arrives
  attention_thrown = 2,         // thrown holds an exception for it
  attention_finished = 4,       // `finished` has ended: its stack can be given back
  attention_orphan = 8,         // the last handle of the current greenlet was dropped by itself
  attention_sliced = 16,        // the current greenlet is sliced, and its stack is checked
  attention_traced = 32,        // the thread has a tracer
  attention_inspect = 64,       // the greenlet that arrives is asked for its stack, and for nothing else
  attention_continulets = 128,  // some have finished, or may have to be unwound
};

/// The part of a thread's state that every switch touches.
struct thread_hot {
  greenlet* current = nullptr;
  exception_state* exceptions = nullptr;
  unsigned attention = 0;
  std::atomic<bool> has_foreign_drops{false};
  void* loop = nullptr;
  // Who was left by the last switch that took the fast path: a guess at who is resumed next, compared before it is used.
  // Not beside `current`: the two would be stored at once, and a load of one of them wait for that.
  greenlet* resumed_by = nullptr;
  switch_value inbox;
};

/// `target`, at an address that is sooner known where it is `guess`.
///
/// A greenlet mostly goes back to whoever resumed it, and has that one's address on its own stack: of many that take turns
/// none finds its stack in the cache. With the address from there, everything behind the jump waits for that miss, since
/// the stack pointer comes out of it. The guess is in the cache, and that it is right is predicted: so the processor goes
/// on on the other stack, up to the next greenlet's own misses, while it still waits for the proof. (Value speculation,
/// done in software; among 100,000 greenlets a switch takes a sixth less.)
[[gnu::always_inline]] inline greenlet* foreseen(greenlet* target, greenlet* guess) noexcept {
#ifdef GROVE_OWN_JUMP
  greenlet* same = guess;
  // The compiler shall not know that it is the same: it would take the one that it has.
  asm("" : "+r"(same));
  if (target == guess) [[likely]] {
    asm volatile("" : "+r"(same));  // a branch, that is, and no conditional move, which would wait for the comparison
    return same;
  }
#endif
  return target;
}

/// The calling thread's; null until it is needed.
[[gnu::tls_model("initial-exec")]] extern constinit thread_local thread_hot* this_thread;

}  // namespace grove::greenlets::detail

namespace grove {

/// The loop of the calling thread (the hub's slot in the state of the thread).
[[nodiscard]] inline void* thread_loop() noexcept {
  return greenlets::detail::this_thread == nullptr ? nullptr : greenlets::detail::this_thread->loop;
}
void set_thread_loop(void* loop);

}  // namespace grove
