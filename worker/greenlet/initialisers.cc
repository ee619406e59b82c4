// SPDX-License-Identifier: Apache-2.0
#include "worker/greenlet/initialisers.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/fatal.h"
#include "worker/greenlet/internal/thread_state.h"

namespace grove {

namespace greenlets::detail {

namespace {

thread_state* state_of_thread() noexcept {
  return static_cast<thread_state*>(this_thread);
}

std::string_view text_of_kind(initialiser_kind kind) noexcept {
  return kind == initialiser_kind::variable ? "the initialiser of a static variable" : "a function of std::call_once";
}

/// "greenlet 'turns' (Account/alice Deposit)".
std::string name_of(const thread_state& thread, const greenlet& of) {
  std::string text = "greenlet '" + std::string(of.name()) + "'";
  std::array<char, 256> room{};
  const std::size_t bytes = thread.label == nullptr ? 0 : thread.label(of, room.data(), room.size());
  if (bytes > 0) text += " (" + std::string(room.data(), std::min(bytes, room.size())) + ")";
  return text;
}

[[noreturn]] void end_in_deadlock(const thread_state& thread, const open_initialisers::entry& held) noexcept {
  const std::string needs = name_of(thread, *thread.current);
  const std::string in(text_of_kind(held.kind));
  const std::string text = held.by == thread.current ? needs + " is in " + in + ", and needs what that makes"
                                                     : name_of(thread, *held.by) + " waits in " + in + ", and " +
                                                           needs + " needs what that makes";
  fatal(text + ": neither can go on");
}

}  // namespace

void refuse_deadlock(const void* guard) noexcept {
  thread_state* const thread = state_of_thread();
  if (thread == nullptr) return;
  if (const open_initialisers::entry* const held = thread->initialisers.find(guard)) end_in_deadlock(*thread, *held);
}

void begin_initialiser(const void* guard, initialiser_kind kind) noexcept {
  thread_state* const thread = state_of_thread();
  if (thread == nullptr || thread->initialisers.count == thread->initialisers.entries.size()) return;
  thread->initialisers.entries[thread->initialisers.count++] = {guard, thread->current, kind, false};
  ++thread->current->slots().initialisers;
}

void end_initialiser(const void* guard) noexcept {
  thread_state* const thread = state_of_thread();
  open_initialisers::entry* const ended = thread == nullptr ? nullptr : thread->initialisers.find(guard);
  if (ended == nullptr) return;
  GROVE_CHECK(ended->by->slots().initialisers > 0, "more initialisers end in a greenlet than began");
  --ended->by->slots().initialisers;
  // The others keep their order.
  open_initialisers& all = thread->initialisers;
  std::move(ended + 1, all.entries.data() + all.count, ended);
  --all.count;
}

std::optional<std::string> check_wait_in_initialiser(const greenlet& self) {
  thread_state& thread = enter_thread();
  open_initialisers::entry* const held = thread.initialisers.find_of(self);
  if (held == nullptr) return std::nullopt;
  const auto text = [&] {
    return name_of(thread, self) + " waits in " + std::string(text_of_kind(held->kind)) +
           ": whoever needs what that makes meanwhile stops the thread for ever";
  };
  if (thread.initialisers.policy == initialiser_waits::are_refused) throw greenlet_error(text());
  if (std::exchange(held->is_told, true)) return std::nullopt;
  return text();
}

}  // namespace greenlets::detail

void set_initialiser_waits(initialiser_waits policy) {
  greenlets::detail::enter_thread().initialisers.policy = policy;
}

}  // namespace grove
