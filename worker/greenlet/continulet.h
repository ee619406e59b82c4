// SPDX-License-Identifier: Apache-2.0
#pragma once

// A continulet holds a one-shot continuation. A switch to it exchanges the continuation that it holds with the one of
// the caller; what its body returns or throws goes to whoever switched in last. The behaviour is that of PyPy's
// _continuation.continulet, in the idiom of C++.
//
// - The body is bound when the continulet is made and starts at the first switch, which passes no value.
// - A continulet has no greenlet of its own: its body runs in the greenlet that switches to it, and a switch between
//   greenlets inside the body suspends that greenlet there. greenlet::current() does not change at a switch to a
//   continulet.
// - A continulet is in use by a greenlet from the switch into it until the way back out of it, also while the greenlet
//   is suspended inside. No other greenlet may touch it meanwhile. One that is not in use may be continued by any
//   greenlet of its thread: a generator may be handed on between two values.
// - So the flow that a greenlet began with only runs in this greenlet, and is the running one when the greenlet ends:
//   then no continulet is in use by it.
// - The drop of the last handle unwinds the body with greenlet_exit before the drop returns; if it is in use, when it
//   no longer is. A destructor that switches back meanwhile is continued at once. (PyPy forgets the body without running
//   its finally blocks; C++ needs its destructors.)
// - Exceptions that are being handled stay with their flow: a body starts without any.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <span>
#include <type_traits>
#include <utility>

#include "worker/greenlet/errors.h"
#include "worker/greenlet/exchange.h"
#include "worker/greenlet/greenlet.h"
#include "worker/greenlet/stack.h"
#include "worker/greenlet/switch_value.h"
#include "worker/greenlet/unique_function.h"

namespace grove {

class continulet;
namespace greenlets::detail {
struct flow_switching;
class generator_body;
struct gdb_layout;
}  // namespace greenlets::detail

/// A counted handle of a continulet. A body that owns a handle of its own continulet keeps it for ever.
/// Affinity: copies may be made and dropped on any thread; everything else belongs to the continulet's own thread.
class continulet_ptr {
 public:
  continulet_ptr() noexcept = default;
  continulet_ptr(std::nullptr_t) noexcept {}  // NOLINT(google-explicit-constructor)
  explicit continulet_ptr(continulet* target) noexcept;
  continulet_ptr(const continulet_ptr& other) noexcept : continulet_ptr(other.target_) {}
  continulet_ptr(continulet_ptr&& other) noexcept : target_(std::exchange(other.target_, nullptr)) {}
  continulet_ptr& operator=(continulet_ptr other) noexcept {
    std::swap(target_, other.target_);
    return *this;
  }
  ~continulet_ptr() { reset(); }

  /// Drops the handle. The last one unwinds the body with greenlet_exit, unless it is in use.
  /// Switches: into the body, if it has to be unwound.
  void reset() noexcept;

  [[nodiscard]] continulet* get() const noexcept { return target_; }
  [[nodiscard]] continulet* operator->() const noexcept { return target_; }
  [[nodiscard]] continulet& operator*() const noexcept { return *target_; }
  [[nodiscard]] explicit operator bool() const noexcept { return target_ != nullptr; }
  friend bool operator==(const continulet_ptr&, const continulet_ptr&) noexcept = default;

 private:
  continulet* target_ = nullptr;
};

class continulet {
 public:
  using body_function = unique_function<switch_value(continulet&)>;

  /// A continulet whose body is body(self, arguments...), with the arguments moved or copied into it. The body returns
  /// anything movable, or nothing.
  template <typename Body, typename... Arguments>
  [[nodiscard]] static continulet_ptr make(Body&& body, Arguments&&... arguments) {
    return make_on(stack_class::small, std::forward<Body>(body), std::forward<Arguments>(arguments)...);
  }
  /// make() with a stack of another class.
  template <typename Body, typename... Arguments>
  [[nodiscard]] static continulet_ptr make_on(stack_class kind, Body&& body, Arguments&&... arguments) {
    continulet_ptr made = make();
    made->stack_kind_ = kind;
    made->init(std::forward<Body>(body), std::forward<Arguments>(arguments)...);
    return made;
  }
  /// An empty continulet: switches to it do nothing until init().
  [[nodiscard]] static continulet_ptr make();

  /// Binds the body of an empty continulet, which becomes the calling thread's.
  /// Errors: continulet_error if it has one, even if that has finished.
  template <typename Body, typename... Arguments>
  void init(Body&& body, Arguments&&... arguments) {
    bind(adapt(std::forward<Body>(body), std::forward<Arguments>(arguments)...));
  }

  continulet(const continulet&) = delete;
  continulet& operator=(const continulet&) = delete;

  /// Exchanges the continuation that is held here with the caller's: suspends the caller and goes on where this
  /// continulet points to; returns what is passed to the caller when somebody switches back to it.
  /// With `to` it is a double switch: the caller's continuation goes here, the one from here goes to `to`, and the
  /// one from `to` runs. If `to` is this continulet nothing happens and `passed` is returned; an empty `to` is ignored.
  /// An empty continulet passes the call on to `to`, and returns `passed` if there is none.
  /// Errors: continulet_error from another thread, if one of the two has finished or is in use by another greenlet;
  /// stacks_exhausted when the body would have to be started and cannot (nothing has changed in all these cases);
  /// whatever the body throws. A value for a body that has not started finishes it without running it, and
  /// continulet_error comes from there.
  [[gnu::always_inline]] switch_value switch_to(switch_value passed = {}, continulet* to = nullptr) {
    return to == nullptr ? switch_here(passed) : switch_slowly(passed, to);
  }

  /// switch_to() without values either way, at the cost of the bare switch.
  [[gnu::always_inline]] void resume();

  /// switch_to(), but `thrown` (null: greenlet_exit) is thrown where the continuation goes on: in the caller itself
  /// where switch_to() returns at once. A body that has not started finishes without running, and the exception comes
  /// from it.
  switch_value throw_in(std::exception_ptr thrown = nullptr, continulet* to = nullptr);

  /// Neither empty nor finished.
  [[nodiscard]] bool is_pending() const noexcept { return state_ == state::unstarted || state_ == state::started; }
  /// A greenlet is inside: it has switched to this continulet and has not come back, or is the current one in its body.
  [[nodiscard]] bool in_use() const noexcept { return in_use_by_ != nullptr; }

 private:
  friend class continulet_ptr;
  friend class greenlet;
  friend class flow_cursor;
  friend struct greenlets::detail::flow_switching;
  friend class greenlets::detail::generator_body;
  friend struct greenlets::detail::gdb_layout;
  template <typename T>
  friend class generator;
  template <typename T>
  friend class genlet;
  enum class state : std::uint8_t { empty, unstarted, started, finished };

  continulet() noexcept = default;
  ~continulet();

  void bind(body_function body);
  template <typename Body, typename... Arguments>
  static body_function adapt(Body&& body, Arguments&&... arguments);
  /// The fast path of a switch: to be asked for first, then done.
  [[nodiscard, gnu::always_inline]] bool is_plain_target(const greenlets::detail::thread_hot* thread) const noexcept;
  [[gnu::always_inline]] void hop(greenlets::detail::thread_hot& thread) noexcept;
  [[gnu::always_inline]] switch_value switch_here(switch_value& passed);
  switch_value switch_slowly(switch_value& passed, continulet* to);
  void resume_slowly();

  execution_context slot_;  // the continuation held here; not always that of the own body
  greenlets::detail::thread_hot* owner_ = nullptr;
  greenlet* in_use_by_ = nullptr;
  void* carried_ = nullptr;  // what a generator hands over
  flow_slots slots_;         // of the body's flow
  continulet_ptr left_;      // of a generator that has gone meanwhile: its handle, for who iterates to drop
  std::atomic<std::uint32_t> handles_{0};
  state state_ = state::empty;
  stack_class stack_kind_ = stack_class::small;
  bool is_listed_ = false;
  bool is_orphan_ = false;  // the last handle has gone while it was in use
  stack stack_;
  body_function body_;
  continulet* next_listed_ = nullptr;
  continulet* next_dropped_ = nullptr;
};

/// Hands the continuations of the continulets round without running any: the second gets that of the first, and so on,
/// and the first that of the last. Empty ones are left out; one that is named twice takes part twice.
/// Errors: continulet_error if one has finished, belongs to another thread or is in use by another greenlet; nothing
/// has changed then.
void permute(std::span<continulet* const> continulets);

template <std::same_as<continulet>... Continulets>
void permute(Continulets&... continulets) {
  const std::array<continulet*, sizeof...(continulets)> all{&continulets...};
  permute(std::span<continulet* const>(all));
}

inline bool continulet::is_plain_target(const greenlets::detail::thread_hot* thread) const noexcept {
  if (owner_ != thread || slot_.suspended_at.stack_pointer == nullptr || thread->attention != 0 ||
      thread->has_foreign_drops.load(std::memory_order_relaxed))
    return false;
  // Into a body whose continuation is at home, or out of the body that runs: nothing else changes its user.
  return thread->current->context_.flow == this ? !is_orphan_ : slot_.flow == this;
}

inline void continulet::hop(greenlets::detail::thread_hot& thread) noexcept {
  execution_context& running = thread.current->context_;
  in_use_by_ = running.flow == this ? nullptr : thread.current;
  std::swap(running.flow, slot_.flow);
  std::swap(running.fiber, slot_.fiber);
  const auto from = leave_in_place(slot_, running.fiber, *thread.exceptions);
  // Another greenlet may be current now, and the slot may hold something else.
  greenlets::detail::arrive(thread.current->context_, from);
}

inline void continulet::resume() {
  greenlets::detail::thread_hot* const thread = greenlets::detail::this_thread;
  if (!is_plain_target(thread)) [[unlikely]]
    return resume_slowly();
  hop(*thread);
  if (thread->attention != 0) [[unlikely]]
    greenlets::detail::take_slowly<void>(
        [thread](greenlets::detail::taker with) { greenlets::detail::receive_slowly(*thread, with); });
}

inline switch_value continulet::switch_here(switch_value& passed) {
  namespace detail = greenlets::detail;
  detail::thread_hot* const thread = detail::this_thread;
  if (!is_plain_target(thread)) [[unlikely]]
    return switch_slowly(passed, nullptr);
  if (passed) {
    thread->inbox = std::move(passed);
    thread->attention = detail::attention_value;
  }
  hop(*thread);
  if (thread->attention == 0) return {};
  if (thread->attention == detail::attention_value && !detail::lending::is_outside(thread->inbox)) [[likely]] {
    thread->attention = 0;
    return std::move(thread->inbox);
  }
  return detail::take_slowly<switch_value>([thread](detail::taker with) { detail::receive_slowly(*thread, with); });
}

template <typename Body, typename... Arguments>
continulet::body_function continulet::adapt(Body&& body, Arguments&&... arguments) {
  return [body = std::decay_t<Body>(std::forward<Body>(body)),
          ... bound =
              std::decay_t<Arguments>(std::forward<Arguments>(arguments))](continulet& self) mutable -> switch_value {
    if constexpr (std::is_void_v<std::invoke_result_t<decltype(body)&, continulet&, decltype(bound)...>>) {
      std::invoke(body, self, std::move(bound)...);
      return {};
    } else {
      return switch_value(std::invoke(body, self, std::move(bound)...));
    }
  };
}

}  // namespace grove
