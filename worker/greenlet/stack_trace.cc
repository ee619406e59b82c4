// SPDX-License-Identifier: Apache-2.0
#include "worker/greenlet/stack_trace.h"

#include <dlfcn.h>
#include <unwind.h>

#include <array>
#include <cstdint>
#include <cstdio>

#include "worker/greenlet/internal/demangle.h"
#include "worker/greenlet/internal/flow_switching.h"
#include "worker/greenlet/internal/thread_state.h"

namespace grove {

namespace greenlets::detail {

namespace {

// What the unwinder needs of the stack that it looks at.
constexpr std::ptrdiff_t unwinder_bytes = 6 * 1024;

_Unwind_Reason_Code add_frame(_Unwind_Context* context, void* into) {
  auto& found = *static_cast<inspection*>(into);
  if (found.count == found.frames.size()) return _URC_END_OF_STACK;
  const auto address = static_cast<std::uintptr_t>(_Unwind_GetIP(context));
  if (address == 0) return _URC_END_OF_STACK;
  found.frames[found.count++] = reinterpret_cast<void*>(address);  // NOLINT(performance-no-int-to-ptr)
  return _URC_NO_REASON;
}

}  // namespace

void switching::inspect(thread_state& thread, greenlet& of, inspection& found) noexcept {
  greenlet& self = *thread.current;
  found.requester = &self;
  found.attention = thread.attention;
  thread.inspecting = &found;
  thread.attention |= attention_inspect;
  thread.current = &of;
  exchange(self.context_, thread.sliced.way_to(of), *thread.exceptions);
  thread.attention = found.attention;
}

void switching::answer_inspection(thread_state& thread) {
  inspection& found = *std::exchange(thread.inspecting, nullptr);
  greenlet& self = *thread.current;
  if (found.look != nullptr)
    found.look(found.with);
  else
    _Unwind_Backtrace(&add_frame, &found);
  thread.attention = thread.sliced.watches(self) ? attention_sliced : 0U;
  thread.current = found.requester;
  exchange(self.context_, thread.sliced.way_to(*found.requester), *thread.exceptions);
}

bool switching::can_inspect(const greenlet& of) noexcept {
  if (!of.active() || of.is_current()) return false;
  const auto* at = static_cast<const std::byte*>(of.context_.suspended_at.stack_pointer);
  if (at == nullptr) return false;  // the body of a continulet that has not started
  return !of.running_stack().holds(at) || at - of.running_stack().base() >= unwinder_bytes;
}

std::string switching::describe(const greenlet& of) {
  std::array<char, 32> address{};
  std::snprintf(address.data(), address.size(), "%p", static_cast<const void*>(&of));
  std::string text = "greenlet '" + std::string(of.name_) + "' at " + address.data();
  const thread_state& owner = of.owner();
  const char* main = of.is_main_ ? " main" : "";
  if (owner.exited.load(std::memory_order_acquire)) return text + " (thread exited) dead" + main;
  if (&owner != this_thread) return text + " of another thread" + main;
  if (of.state_ == greenlet::state::fresh) return text + " pending";
  if (of.state_ == greenlet::state::finished) return text + " dead";
  return text + (owner.current == &of ? " current" : " suspended") + " active started" + main;
}

std::vector<greenlet_ptr> switching::all(const thread_state& thread) {
  std::vector<greenlet_ptr> found;
  for (greenlet* at = thread.all; at != nullptr; at = at->next_) {
    if (at->handles_.load(std::memory_order_acquire) != 0) found.emplace_back(at);
  }
  return found;
}

}  // namespace greenlets::detail

std::vector<greenlet_ptr> all_greenlets() {
  return greenlets::detail::switching::all(greenlets::detail::enter_thread());
}

std::vector<void*> stack_trace(greenlet& of) {
  using greenlets::detail::switching;
  switching::check_owner(of);
  greenlets::detail::inspection found;
  greenlets::detail::flow_switching::inspect(greenlets::detail::enter_thread(), of, found);
  const std::span<void* const> frames(found.frames.data(), found.count);
  return std::vector<void*>(frames.begin(), frames.end());
}

std::string stack_text(std::span<void* const> addresses) {
  std::string text;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const auto* at = static_cast<const char*>(addresses[i]);
    Dl_info found{};
    std::array<char, 64> place{};
    std::string line = "#" + std::to_string(i) + " ";
    // The address is where the callee returns to, which may be past the end of its caller: look one byte before it.
    if (::dladdr(at - 1, &found) != 0) {
      if (found.dli_sname != nullptr) line += greenlets::detail::demangle(found.dli_sname) + " ";
      std::snprintf(place.data(), place.size(), "+0x%zx",
                    static_cast<std::size_t>(at - static_cast<const char*>(found.dli_fbase)));
      line += found.dli_fname;
    } else {
      std::snprintf(place.data(), place.size(), "%p", addresses[i]);
    }
    text += line + place.data() + "\n";
  }
  return text;
}

std::string describe(const greenlet& of) {
  return greenlets::detail::switching::describe(of);
}

}  // namespace grove
