// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

#include "worker/greenlet/exception_state.h"
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
  switch_value inbox;
};

/// The calling thread's; null until it is needed.
[[gnu::tls_model("initial-exec")]] extern constinit thread_local thread_hot* this_thread;

}  // namespace grove::greenlets::detail
