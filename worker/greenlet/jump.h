// SPDX-License-Identifier: Apache-2.0
#pragma once

// The jump from one stack to another, under everything. On x86-64 it is our own, in line: the compiler saves those
// registers that are in use where the jump is, instead of a function saving all that the ABI preserves, and the jump
// back is an indirect one, which is predicted, where a return to another stack never is. Elsewhere it is Boost.Context's
// jump_fcontext.
//
// - The floating-point control words (rounding, masks) belong to the thread and stay as they are over a jump;
//   jump_fcontext saves and loads them, which costs a third of its time, and twenty times its time where they differ.
// - The direction flag is clear and the x87 stack empty on both sides, as the ABI has it at calls: compiled code leaves
//   the flag clear, and every x87 and MMX register is said to be lost.
// - Nothing is pushed: where a context goes on is kept in its jump_point, beside what a switch reads anyway.

#include <cstddef>

#if defined(__x86_64__) && !defined(__ILP32__) && !defined(GROVE_JUMP_BY_BOOST)
#define GROVE_OWN_JUMP 1
#else
#include <boost/context/detail/fcontext.hpp>
#endif

namespace grove {

#ifdef GROVE_OWN_JUMP

/// A suspended context: it has the bytes of its stack from jump_red_zone below the stack pointer on.
struct jump_point {
  void* stack_pointer = nullptr;
  void* frame_pointer = nullptr;
  void* goes_on_at = nullptr;
};

/// Below the stack pointer a function may keep data without moving it.
inline constexpr std::size_t jump_red_zone = 128;

/// Suspends the running context in `from` and resumes `to`, which gets `passed`. Returns what is passed by whoever
/// resumes the suspended one. The two may be the same object.
[[gnu::always_inline]] inline void* jump(jump_point& from, jump_point& to, void* passed) noexcept {
  jump_point* leaves = &from;
  jump_point* arrives = &to;
  asm volatile(
      "movq (%[to]), %%rcx\n\t"
      "movq 8(%[to]), %%rsi\n\t"
      "movq 16(%[to]), %%r8\n\t"
      "leaq 1f(%%rip), %%r9\n\t"
      "movq %%rsp, (%[from])\n\t"
      "movq %%rbp, 8(%[from])\n\t"
      "movq %%r9, 16(%[from])\n\t"
      "movq %%rcx, %%rsp\n\t"
      "movq %%rsi, %%rbp\n\t"
      "jmpq *%%r8\n"
      "1:"
      : [from] "+D"(leaves), [to] "+a"(arrives), "+d"(passed)
      :
      : "rbx", "rcx", "rsi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "cc", "memory", "xmm0", "xmm1",
        "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
        "xmm15", "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)", "mm0", "mm1", "mm2", "mm3", "mm4",
        "mm5", "mm6", "mm7"
#ifdef __AVX512F__
        ,
        "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27",
        "xmm28", "xmm29", "xmm30", "xmm31", "k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7"
#endif
  );
  return passed;
}

#else

struct jump_point {
  void* stack_pointer = nullptr;
  void (*entry)(void*) = nullptr;
};

inline constexpr std::size_t jump_red_zone = 0;

namespace greenlets::detail {
struct crossing {
  jump_point* left;
  void* passed;
  void (*entry)(void*);
};

inline void* arrive_by(boost::context::detail::transfer_t from) noexcept {
  const auto& by = *static_cast<crossing*>(from.data);
  by.left->stack_pointer = from.fctx;
  return by.passed;
}
}  // namespace greenlets::detail

inline void* jump(jump_point& from, jump_point& to, void* passed) noexcept {
  greenlets::detail::crossing by{&from, passed, to.entry};
  return greenlets::detail::arrive_by(boost::context::detail::jump_fcontext(to.stack_pointer, &by));
}

#endif

/// A suspended context that calls `entry` with what is passed first, on the stack that ends at `top`. `entry` never
/// returns.
[[nodiscard]] jump_point make_jump_point(std::byte* top, std::size_t bytes, void (*entry)(void* passed)) noexcept;

}  // namespace grove
