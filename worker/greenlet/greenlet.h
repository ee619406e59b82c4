// SPDX-License-Identifier: Apache-2.0
#pragma once

// A greenlet is a stackful micro-thread with no implicit scheduling: it runs until it switches. The behaviour is that
// of Python's greenlet, in the idiom of C++.
//
// - Every thread has one main greenlet, made lazily; it has no parent and never dies while its thread lives.
// - A greenlet that returns goes to its parent, with its result as the value of the parent's pending switch; an
//   exception that leaves it is thrown there. A dead receiver is replaced by its nearest live ancestor.
// - A greenlet belongs to the thread that made it. Its handles may be held and dropped anywhere.
// - The drop of the last handle of a suspended greenlet unwinds it with greenlet_exit before the drop returns. A destructor
//   that switches away meanwhile gets control back at once, without a value.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/cache_line.h"
#include "base/check.h"
#include "worker/greenlet/errors.h"
#include "worker/greenlet/exchange.h"
#include "worker/greenlet/greenlet_body.h"
#include "worker/greenlet/greenlet_ptr.h"
#include "worker/greenlet/greenlet_slots.h"
#include "worker/greenlet/stack.h"
#include "worker/greenlet/switch_value.h"
#include "worker/greenlet/thread_hot.h"
#include "worker/greenlet/typed_parcel.h"
#include "worker/greenlet/unique_function.h"

namespace grove {

namespace greenlets::detail {

struct thread_state;
struct context_values;
struct gdb_layout;
struct switching;
struct flow_switching;
class sliced_stacks;
class stack_slice;
}  // namespace greenlets::detail

struct greenlet_options {
  greenlet* parent = nullptr;  ///< null: the greenlet that is current
  stack_class stack = stack_class::small;
  std::string_view name = {};  ///< borrowed: must outlive the greenlet or be replaced
};

class alignas(cache_line_bytes) greenlet {
 public:
  /// A new greenlet, not started, of the calling thread. `run` takes what the first switch passes, as objects of the
  /// types that it names, as a switch_value, or not at all; it returns anything movable or nothing. Objects that do
  /// not fit are a switch_type_error in the parent.
  template <typename F>
  [[nodiscard]] static greenlet_ptr make(F&& run, greenlet_options options = {}) {
    return make_from(greenlets::detail::make_body(std::forward<F>(run)), options);
  }

  /// The greenlet that runs on the calling thread; makes the thread's main greenlet if there is none.
  [[nodiscard]] static greenlet& current() {
    const greenlets::detail::thread_hot* thread = greenlets::detail::this_thread;
    return thread != nullptr && !thread->has_foreign_drops.load(std::memory_order_relaxed) ? *thread->current : enter();
  }
  [[nodiscard]] static greenlet& main();

  greenlet(const greenlet&) = delete;
  greenlet& operator=(const greenlet&) = delete;

  /// Suspends the caller and runs this greenlet: starts it with `passed`, or makes its pending switch return
  /// `passed`. Returns what is passed to the caller when somebody switches back to it. The current greenlet gets its
  /// own value back at once; in place of a dead one its nearest live ancestor gets it.
  /// Errors: greenlet_error from another thread; stacks_exhausted when the one that gets the value would have to be
  /// started and cannot (nothing has changed then); whatever is thrown into the caller.
  [[gnu::always_inline]] switch_value switch_to(switch_value passed = {}) {
    return switch_for<switch_value>(std::move(passed));
  }

  /// switch_to() with types, and without an allocation: passes `args` (several as a std::tuple) and returns the R that
  /// is passed back, or nothing, whatever is passed, if R is void. Both sides may mix it with switch_to(): only the
  /// types of the objects count. What is passed by reference stays where it is until the receiver moves from it.
  /// Errors: as switch_to(); switch_type_error, which keeps the object, if no R is passed back.
  template <typename R = void, typename... Args>
  [[gnu::always_inline]] R switch_for(Args&&... args);

  /// switch_to() without values either way, at the cost of the bare switch. In line, because a return just after a
  /// switch is mispredicted: every frame between the caller and the jump costs as much as the jump.
  [[gnu::always_inline]] void resume();

  /// switch_to(), but the pending switch of this greenlet throws `thrown` (null: greenlet_exit). A greenlet that has
  /// not started dies without running, and a dead one stays dead: the exception then goes to the parent (or, dead
  /// itself, to its nearest live ancestor), greenlet_exit as a value.
  /// Errors: as switch_to(), but where an unstarted ancestor cannot be started this greenlet has died all the same.
  switch_value throw_in(std::exception_ptr thrown = nullptr);

  /// Null for a main greenlet.
  [[nodiscard]] greenlet* parent() const noexcept { return parent_.get(); }
  /// Errors: greenlet_error for a main greenlet, a cycle, or a parent of another thread; the parent is unchanged
  /// then.
  void set_parent(greenlet& parent);

  /// Takes the stack now and not at the first switch. False if the pool is exhausted.
  [[nodiscard]] bool try_reserve_stack();

  [[nodiscard]] bool started() const noexcept { return state_ != state::fresh; }
  /// Makes the current greenlet as good as new, so that its body can go on with what would else run in a greenlet that
  /// has to be made: its slots and its name are those of a fresh one. False if somebody could tell the difference: it has
  /// locals, a context or something pending, there are other handles than the caller's one, its parent is not `parent`,
  /// or the thread is traced. Runs nobody else's code.
  [[nodiscard]] bool try_renew(const greenlet& parent) noexcept;

  /// True once it has finished, and for all greenlets of a thread that has exited.
  [[nodiscard]] bool dead() const noexcept;
  /// Started and not finished.
  [[nodiscard]] bool active() const noexcept { return unfinished() && !dead(); }
  [[nodiscard]] explicit operator bool() const noexcept { return active(); }
  [[nodiscard]] bool is_current() const noexcept {
    return greenlets::detail::this_thread != nullptr && greenlets::detail::this_thread->current == this;
  }
  /// Whether the calling thread is the one that it belongs to.
  [[nodiscard]] bool is_of_this_thread() const noexcept {
    return owner_ != nullptr && owner_ == greenlets::detail::this_thread;
  }
  [[nodiscard]] bool is_main() const noexcept { return is_main_; }

  [[nodiscard]] std::string_view name() const noexcept { return name_; }
  /// Lifetime: `name` is borrowed until it is replaced or the greenlet is gone.
  void set_name(std::string_view name) noexcept {
    // A signal handler may read it in between.
    for (const std::string_view next : {name_.substr(0, 0), name.substr(0, 0), name}) {
      name_ = next;
      std::atomic_signal_fence(std::memory_order_seq_cst);
    }
  }

  [[nodiscard]] greenlet_slots& slots() noexcept { return slots_; }
  [[nodiscard]] const greenlet_slots& slots() const noexcept { return slots_; }
  /// Those of the flow that it runs now.
  [[nodiscard]] flow_slots& running_flow() noexcept {
    return in_continulet() ? slots_of_continulet() : slots_.first_flow;
  }
  /// It runs the body of a continulet.
  [[nodiscard]] bool in_continulet() const noexcept { return context_.flow != nullptr; }

  /// The actor layer's slot.
  [[nodiscard]] void* local() const noexcept { return slots_.turn; }
  void set_local(void* turn) noexcept { slots_.turn = turn; }

  /// True while the drop of the last handle unwinds it: it must not wait any more.
  [[nodiscard]] bool unwinding() const noexcept { return unwinding_; }

  /// The stack that it runs on, shared if it is sliced; empty before the start, after the end, and for a main greenlet.
  [[nodiscard]] const stack& own_stack() const noexcept;
  [[nodiscard]] bool sliced() const noexcept { return stack_kind_ == stack_class::sliced; }
  /// Whether so many bytes are left of it. A quick look for the current greenlet, which says no where it is not easily known:
  /// for sliced stacks, in continulets and in main greenlets.
  [[nodiscard, gnu::always_inline]] bool plainly_has_left(std::size_t bytes) const noexcept {
    const auto* const here = static_cast<const std::byte*>(__builtin_frame_address(0));
    return !sliced() && !in_continulet() && stack_ && here >= stack_.base() + bytes;
  }
  /// The stack of the flow that it runs now: its own, or that of a continulet's body. Empty as own_stack() is.
  /// Affinity: async-signal-safe.
  [[nodiscard]] const stack& running_stack() const noexcept;

 private:
  friend class greenlet_ptr;
  friend struct greenlets::detail::thread_state;
  friend struct greenlets::detail::switching;
  friend struct greenlets::detail::gdb_layout;
  friend struct greenlets::detail::flow_switching;
  friend class continulet;
  friend class flow_cursor;
  friend class greenlets::detail::sliced_stacks;
  // Away: live, and a stack that it shares has the bytes of another greenlet.
  enum class state : std::uint8_t { fresh, live, away, finished };

  greenlet(greenlets::detail::thread_state& owner, greenlets::detail::body_function run,
           const greenlet_options& options);
  ~greenlet();

  static greenlet_ptr make_from(greenlets::detail::body_function run, const greenlet_options& options);
  static greenlet_ptr make_in(greenlets::detail::thread_state& owner, greenlets::detail::body_function run,
                              const greenlet_options& options);
  static void destroy(greenlet& gone) noexcept;
  static greenlet_ptr make_main(greenlets::detail::thread_state& owner);
  /// The fast path of a switch: to be asked for first, then done.
  [[nodiscard, gnu::always_inline]] bool is_plain_target(const greenlets::detail::thread_hot* thread) const noexcept;
  [[gnu::always_inline]] void hop(greenlets::detail::thread_hot& thread) noexcept;
  static greenlet& enter();
  [[nodiscard]] flow_slots& slots_of_continulet() noexcept;
  /// A handle for as long as other threads' drops are taken, one of which may be the last of this greenlet; else none.
  [[nodiscard]] greenlet_ptr kept_from_foreign_drops() noexcept;
  [[nodiscard]] bool unfinished() const noexcept { return state_ == state::live || state_ == state::away; }
  void release_stack() noexcept;
  void resume_slowly();
  static void arrive_slowly(greenlets::detail::thread_hot& thread);
  [[nodiscard]] greenlets::detail::thread_state& owner() const noexcept;
  /// What the slow path of a switch needs before the jump; the taker says what is done with what comes back.
  void switch_slowly(switch_value& passed, greenlets::detail::taker with);

  // What a switch reads and writes comes first, in one cache line.
  execution_context context_;
  greenlets::detail::thread_hot* owner_;
  state state_ = state::fresh;
  stack_class stack_kind_;
  bool is_main_ = false;
  bool unwinding_ = false;
  std::atomic<std::uint32_t> handles_{0};
  greenlet_ptr parent_;
  greenlet_slots slots_;
  std::string_view name_;
  stack stack_;
  std::unique_ptr<greenlets::detail::stack_slice> slice_;
  greenlets::detail::body_function run_;
  greenlet* next_dropped_ = nullptr;
  greenlet* next_ = nullptr;  // of all of the thread
  greenlet* previous_ = nullptr;
  greenlets::detail::context_values* values_ = nullptr;
};

inline bool greenlet::is_plain_target(const greenlets::detail::thread_hot* thread) const noexcept {
  return owner_ == thread && state_ == state::live && thread->current != this && thread->attention == 0 &&
         !thread->has_foreign_drops.load(std::memory_order_relaxed);
}

inline void greenlet::hop(greenlets::detail::thread_hot& thread) noexcept {
  greenlet& self = *thread.current;
  greenlet& next = *greenlets::detail::foreseen(this, thread.resumed_by);
  GROVE_DEBUG_CHECK(&next == this, "a switch goes to another greenlet than the one that is resumed");
  thread.current = &next;
  thread.resumed_by = &self;
  exchange(self.context_, next.context_, *thread.exceptions);
}

inline void greenlet::resume() {
  greenlets::detail::thread_hot* const thread = greenlets::detail::this_thread;
  if (!is_plain_target(thread)) [[unlikely]]
    return resume_slowly();
  hop(*thread);
  // Asked for anew: what was in a register before is now on a stack that may not be in the cache.
  greenlets::detail::thread_hot* const here = greenlets::detail::this_thread;
  if (here->attention != 0) [[unlikely]]
    arrive_slowly(*here);  // `this` may be gone by now
}

template <typename R, typename... Args>
inline R greenlet::switch_for(Args&&... args) {
  namespace detail = greenlets::detail;
  detail::parcel<Args...> sent(std::forward<Args>(args)...);
  detail::thread_hot* thread = detail::this_thread;
  if (!is_plain_target(thread)) [[unlikely]] {
    switch_value room;
    switch_value& passed = sent.find_or_put_into(room);
    return detail::take_slowly<R>([&](detail::taker with) { switch_slowly(passed, with); });
  }
  if (sent.put_into(thread->inbox)) thread->attention = detail::attention_value;
  hop(*thread);
  thread = detail::this_thread;  // as in resume()
  if constexpr (std::is_void_v<R>) {
    if (thread->attention == 0) [[likely]]
      return;
  } else if constexpr (std::is_same_v<R, switch_value>) {
    if (thread->attention == 0) return {};
    if (thread->attention == detail::attention_value && !detail::lending::is_outside(thread->inbox)) [[likely]] {
      thread->attention = 0;
      return std::move(thread->inbox);
    }
  } else if (thread->attention == detail::attention_value) [[likely]] {
    if (R* object = detail::lending::lent_object<R>(thread->inbox)) [[likely]] {
      detail::lending::forget(thread->inbox);
      thread->attention = 0;
      return std::move(*object);
    }
  }
  return detail::take_slowly<R>([&](detail::taker with) { detail::receive_slowly(*thread, with); });
}

/// The stack pool of the calling thread, which its greenlets draw from.
[[nodiscard]] stack_pool& thread_stacks();

/// Whether the misuse of sliced stacks is looked for on this thread: an access to the stack of a suspended sliced
/// greenlet then faults where it is made, unless by a sliced greenlet that runs on the same region (of eight). Costs two
/// system calls a switch; on by default in builds without NDEBUG.
/// Call it before the first sliced greenlet starts.
void set_sliced_stack_checks(bool on);

/// Called with a text when a greenlet that is unwound by the drop of its last handle swallows greenlet_exit, throws
/// something else or switches away in a destructor. The default writes the text to stderr. Returns the previous hook.
/// Affinity: per thread.
using unraisable_hook = unique_function<void(const greenlet&, std::string_view)>;
unraisable_hook set_unraisable_hook(unraisable_hook hook);

}  // namespace grove
