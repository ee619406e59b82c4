// SPDX-License-Identifier: Apache-2.0
#include "worker/greenlet/jump.h"

#include <cstdint>

#ifdef GROVE_OWN_JUMP

// Where a new context begins: the arrival is in rax and rdx, the entry above the red zone that a jump leaves.
extern "C" void grove_jump_begin() noexcept;
asm(R"(
  .text
  .hidden grove_jump_begin
  .globl grove_jump_begin
  .type grove_jump_begin, @function
grove_jump_begin:
  endbr64
  leaq 128(%rsp), %rsp
  movq %rax, %rdi
  movq %rdx, %rsi
  popq %rcx
  pushq $0
  jmpq *%rcx
  .size grove_jump_begin, .-grove_jump_begin
)");

#endif

namespace grove {

jump_point make_jump_point(std::byte* top, [[maybe_unused]] std::size_t bytes, void (*entry)(jump_arrival)) noexcept {
#ifdef GROVE_OWN_JUMP
  constexpr std::size_t red_zone_words = 16;
  // The entry finds the stack as after a call, eight bytes off a multiple of sixteen, with a return address of zero,
  // at which an unwinder stops.
  auto* const end = reinterpret_cast<void**>(reinterpret_cast<std::uintptr_t>(top) & ~std::uintptr_t{15});
  void** const entered = end - 1;
  *entered = reinterpret_cast<void*>(entry);
  void** const suspended = entered - red_zone_words - 2;
  suspended[0] = reinterpret_cast<void*>(&grove_jump_begin);
  suspended[1] = nullptr;
  return suspended;
#else
  return boost::context::detail::make_fcontext(top, bytes, entry);
#endif
}

}  // namespace grove
