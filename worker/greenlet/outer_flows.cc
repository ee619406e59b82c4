// SPDX-License-Identifier: Apache-2.0
#include "worker/greenlet/outer_flows.h"

#include "worker/greenlet/internal/flow_switching.h"

#ifdef GROVE_OWN_JUMP

// Calls `call(of)`, rsi and rdx, as if the context suspended at the jump_point in rdi had called it: whoever unwinds from
// there finds that context's frames. The rules are DWARF's: the caller's stack pointer is what rbx points to, its frame
// pointer lies 8 bytes on, and where it goes on 16.
extern "C" void grove_call_above(const grove::jump_point* at, void (*call)(void*), void* of) noexcept;
asm(R"(
  .text
  .hidden grove_call_above
  .globl grove_call_above
  .type grove_call_above, @function
grove_call_above:
  .cfi_startproc
  pushq %rbx
  movq %rdi, %rbx
  .cfi_escape 0x0f, 0x03, 0x73, 0x00, 0x06
  .cfi_escape 0x10, 0x10, 0x02, 0x73, 0x10
  .cfi_escape 0x10, 0x06, 0x02, 0x73, 0x08
  movq %rdx, %rdi
  callq *%rsi
  popq %rbx
  .cfi_def_cfa %rsp, 8
  .cfi_restore %rip
  .cfi_restore %rbp
  ret
  .cfi_endproc
  .size grove_call_above, .-grove_call_above
)");

#endif

namespace grove::greenlets::detail {

#ifdef GROVE_OWN_JUMP

namespace {

// A ring that is being changed may seem to have no end.
constexpr int flows_max = 64;

struct outer_unwinding {
  _Unwind_Reason_Code (*add)(_Unwind_Context*, void*);
  void* into;
  void* goes_on_at = nullptr;  // of the flow that is looked at; null once its first frame was found
  bool has_ended = false;

  static _Unwind_Reason_Code add_frame(_Unwind_Context* at, void* self) {
    auto& mine = *static_cast<outer_unwinding*>(self);
    // Above the suspended frames there are those of the look itself.
    if (mine.goes_on_at != nullptr) {
      if (reinterpret_cast<void*>(_Unwind_GetIP(at)) != mine.goes_on_at) return _URC_NO_REASON;
      mine.goes_on_at = nullptr;
    }
    const _Unwind_Reason_Code said = mine.add(at, mine.into);
    mine.has_ended = said != _URC_NO_REASON && _Unwind_GetIP(at) != 0;
    return said;
  }
  static void look(void* self) noexcept { _Unwind_Backtrace(&add_frame, self); }
};

}  // namespace

void unwind_outer_flows(const greenlet& running, _Unwind_Reason_Code (*add)(_Unwind_Context* at, void* into),
                        void* into) noexcept {
  outer_unwinding outer{.add = add, .into = into};
  const continulet* inside = flow_switching::running_flow(running);
  for (int flow = 0; inside != nullptr && flow < flows_max && !outer.has_ended; ++flow) {
    const execution_context& resumer = flow_switching::slot_of(*inside);
    inside = resumer.flow;
    if (resumer.suspended_at.stack_pointer == nullptr) continue;  // it has not started, or is about to be left
    outer.goes_on_at = resumer.suspended_at.goes_on_at;
    grove_call_above(&resumer.suspended_at, &outer_unwinding::look, &outer);
  }
}

#else

void unwind_outer_flows(const greenlet&, _Unwind_Reason_Code (*)(_Unwind_Context*, void*), void*) noexcept {}

#endif

}  // namespace grove::greenlets::detail
