// SPDX-License-Identifier: Apache-2.0
#pragma once

// The jump from one stack to another, under everything. On x86-64 it is our own, in line: the compiler saves those
// registers that are in use where the jump is, instead of a function saving all that the ABI preserves, and the jump
// back is an indirect one, which is predicted, where a return to another stack never is. Elsewhere it is Boost.Context's
// jump_fcontext, whose contract it has.
//
// - The floating-point control words (rounding, masks) belong to the thread and stay as they are over a jump;
//   jump_fcontext saves and loads them, which is a third of its time.
// - A suspended x86-64 context is a stack pointer; there lie where it goes on and its frame pointer.

#include <boost/context/detail/fcontext.hpp>
#include <cstddef>

#if defined(__x86_64__) && !defined(__ILP32__)
#define GROVE_OWN_JUMP 1
#endif

namespace grove {

/// A suspended context.
using jump_point = boost::context::detail::fcontext_t;

/// What arrives with a jump: the context that was left, and what it passed.
using jump_arrival = boost::context::detail::transfer_t;

/// Suspends the running context and resumes `to`, which arrives with the suspended one and `passed`. Returns when
/// somebody jumps back.
[[gnu::always_inline]] inline jump_arrival jump(jump_point to, void* passed) noexcept {
#ifdef GROVE_OWN_JUMP
  jump_arrival arrival;
  asm volatile(
      // Below the stack pointer there may be a red zone.
      "leaq -128(%%rsp), %%rsp\n\t"
      "pushq %%rbp\n\t"
      "leaq 1f(%%rip), %%rcx\n\t"
      "pushq %%rcx\n\t"
      "movq %%rsp, %%rax\n\t"
      "movq %%rdi, %%rsp\n\t"
      "popq %%rcx\n\t"
      "popq %%rbp\n\t"
      "jmpq *%%rcx\n"
      "1:\n\t"
      "endbr64\n\t"
      "leaq 128(%%rsp), %%rsp"
      : "=a"(arrival.fctx), "=d"(arrival.data), "+D"(to)
      : "1"(passed)
      : "rbx", "rcx", "rsi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "cc", "memory", "xmm0", "xmm1",
        "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
        "xmm15");
  return arrival;
#else
  return boost::context::detail::jump_fcontext(to, passed);
#endif
}

/// A suspended context that calls `entry` on the stack that ends at `top`. `entry` never returns.
[[nodiscard]] jump_point make_jump_point(std::byte* top, std::size_t bytes, void (*entry)(jump_arrival)) noexcept;

}  // namespace grove
