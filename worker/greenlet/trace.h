// SPDX-License-Identifier: Apache-2.0
#pragma once

// Watching the switches of a thread, as greenlet's settrace() does.

#include <cstdint>
#include <functional>

namespace grove {

class greenlet;

enum class trace_event : std::uint8_t {
  switched,  ///< `target` goes on, or starts, with a value or without one
  thrown,    ///< an exception is thrown into `target`, or has left `origin`, its child
};

/// Called on the greenlet that a switch has arrived at, before that sees what was passed. A greenlet that has not
/// started and is thrown into never runs: its two events are told on the stack of the receiver.
/// Switches: it may.
/// Errors: what it throws replaces what the switch passes or throws, and ends the tracing.
using trace_function = std::function<void(trace_event event, greenlet& origin, greenlet& target)>;

/// From now on every switch between greenlets of the calling thread calls `tracer`; none, if it is empty. Returns the
/// previous one. While there is one, every switch takes the slow path.
trace_function set_trace(trace_function tracer);

/// The tracer of the calling thread; empty if there is none.
[[nodiscard]] trace_function current_trace();

}  // namespace grove
