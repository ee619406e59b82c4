// SPDX-License-Identifier: Apache-2.0
#include "worker/greenlet/jump.h"

#include <cstdint>

#ifdef GROVE_OWN_JUMP

// Where a new context begins: the entry is in the frame pointer, what is passed in rdx.
extern "C" void grove_jump_begin() noexcept;
asm(R"(
  .text
  .hidden grove_jump_begin
  .globl grove_jump_begin
  .type grove_jump_begin, @function
grove_jump_begin:
  movq %rbp, %rcx
  xorl %ebp, %ebp
  movq %rdx, %rdi
  jmpq *%rcx
  .size grove_jump_begin, .-grove_jump_begin
)");

#endif

namespace grove {

#ifdef GROVE_OWN_JUMP

jump_point make_jump_point(std::byte* top, std::size_t, void (*entry)(void*)) noexcept {
  // The entry finds the stack as after a call, eight bytes off a multiple of sixteen, with a return address of zero,
  // at which an unwinder stops.
  auto* const end = reinterpret_cast<void**>(reinterpret_cast<std::uintptr_t>(top) & ~std::uintptr_t{15});
  end[-1] = nullptr;
  return {end - 1, reinterpret_cast<void*>(entry), reinterpret_cast<void*>(&grove_jump_begin)};
}

#else

namespace {
void begin(boost::context::detail::transfer_t from) {
  void (*const entry)(void*) = static_cast<greenlets::detail::crossing*>(from.data)->entry;
  entry(greenlets::detail::arrive_by(from));
}
}  // namespace

jump_point make_jump_point(std::byte* top, std::size_t bytes, void (*entry)(void*)) noexcept {
  return {boost::context::detail::make_fcontext(top, bytes, &begin), entry};
}

#endif

}  // namespace grove
