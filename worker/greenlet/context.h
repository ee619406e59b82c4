// SPDX-License-Identifier: Apache-2.0
#pragma once

// Values that belong to a greenlet, or to several that share a context, as contextvars and greenlet's gr_context have
// it: code far below a caller sees them without an argument for each.
//
// - A greenlet starts without a context; the first value that is set in it makes one.
// - A context may be shared, then all its greenlets see what one of them sets, or copied.

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace grove {

class greenlet;
namespace greenlets::detail {

struct context_values;

/// Affinity: any thread.
std::uint64_t new_context_key() noexcept;
/// The value in the context of the current greenlet, or null.
const void* find_context_value(std::uint64_t key);
void set_context_value(std::uint64_t key, std::shared_ptr<const void> value);
void hold_context(context_values* values) noexcept;
void drop_context(context_values* values) noexcept;

}  // namespace greenlets::detail

/// A counted handle of a set of context-local values.
/// Affinity: handles may be copied and dropped on any thread; the greenlets that share a set are of one thread.
class context {
 public:
  /// None.
  context() noexcept = default;
  /// A new set without values.
  [[nodiscard]] static context make();
  context(const context& other) noexcept : values_(other.values_) { greenlets::detail::hold_context(values_); }
  context(context&& other) noexcept : values_(std::exchange(other.values_, nullptr)) {}
  context& operator=(context other) noexcept {
    std::swap(values_, other.values_);
    return *this;
  }
  ~context() { greenlets::detail::drop_context(values_); }

  /// A set of its own with the same values; the values themselves are shared. None of none.
  [[nodiscard]] context copy() const;
  [[nodiscard]] explicit operator bool() const noexcept { return values_ != nullptr; }
  /// True for handles of one set.
  friend bool operator==(const context&, const context&) noexcept = default;

 private:
  friend context context_of(const greenlet& of);
  friend void set_context(greenlet& of, context values);
  explicit context(greenlets::detail::context_values* values) noexcept : values_(values) {}
  greenlets::detail::context_values* values_ = nullptr;
};

/// The context of `of`, whatever state it is in; none if it has set no value and was given none.
/// Errors: greenlet_error for a greenlet of another thread.
[[nodiscard]] context context_of(const greenlet& of);

/// Gives `of` a context in place of its own; the current greenlet sees it at once.
/// Errors: as context_of().
void set_context(greenlet& of, context values);

/// A value that every context has its own of.
/// Affinity: values are those of the calling thread's current greenlet.
template <typename T>
class context_var {
 public:
  context_var() : key_(greenlets::detail::new_context_key()) {}
  /// `initial` is what contexts have in which nothing was set.
  explicit context_var(T initial) : key_(greenlets::detail::new_context_key()), initial_(std::move(initial)) {}
  context_var(const context_var&) = delete;
  context_var& operator=(const context_var&) = delete;

  /// Null if nothing was set and there is no initial value.
  /// Lifetime: borrowed until the value is set again in this context, or the context goes.
  [[nodiscard]] const T* get() const {
    const void* found = greenlets::detail::find_context_value(key_);
    return found != nullptr ? static_cast<const T*>(found) : initial_ ? &*initial_ : nullptr;
  }
  void set(T value) const { greenlets::detail::set_context_value(key_, std::make_shared<const T>(std::move(value))); }
  /// Back to the initial value.
  void reset() const { greenlets::detail::set_context_value(key_, nullptr); }

 private:
  std::uint64_t key_;
  std::optional<T> initial_;
};

}  // namespace grove
