// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a suspended greenlet is doing, as greenlet's gr_frame shows it. The requester switches into the greenlet, which
// looks at its own stack and switches straight back: it notices nothing, and no tracer does.

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace grove {

class greenlet;
class greenlet_ptr;

inline constexpr std::size_t stack_trace_frames_max = 128;

/// The code addresses of the frames of `of`, innermost first, at most stack_trace_frames_max. In a generator, a continulet
/// or on_big_stack() those of whoever resumed it follow. Empty unless it is suspended; a stack that has too little room
/// left to look at it is left out.
/// Errors: greenlet_error for a greenlet of another thread.
[[nodiscard]] std::vector<void*> stack_trace(greenlet& of);

/// One line for each address: the function, if the program exports its symbols, the module and the offset in it.
/// Affinity: any thread.
[[nodiscard]] std::string stack_text(std::span<void* const> addresses);

/// All greenlets of the calling thread that have handles, newest first, also those that have not started or are dead.
[[nodiscard]] std::vector<greenlet_ptr> all_greenlets();

/// One line: its name, its address and its state. "pending" before the start; "current active started" or
/// "suspended active started"; "dead"; with "main" for a main greenlet, and "(thread exited)". Of a greenlet of
/// another thread that lives it says no more than that.
/// Affinity: any thread.
[[nodiscard]] std::string describe(const greenlet& of);

}  // namespace grove
