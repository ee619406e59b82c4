// SPDX-License-Identifier: Apache-2.0
#pragma once

// Waits for many objects at once, in the order in which they become ready (gevent's iwait and wait).
//
//   for (std::size_t at : iwait({first, second, flag}, now + 1s)) ...
//   std::vector<std::size_t> done = wait_all(waitables(tasks));
//
// - An object can be waited for if it can say that it is ready and wake a link when it becomes so: tasks, events,
//   async_results, semaphores and locks (which are not acquired), queues (from which nothing is taken).
// - An object counts as ready from its first wake on, also if it is not ready any more when the waiting greenlet runs.
// - Nothing stays behind in the objects when the wait is left early.

#include <concepts>
#include <cstddef>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <ranges>
#include <type_traits>
#include <vector>

#include "worker/hub/waiter.h"

namespace grove {

template <typename T>
concept waitable = requires(T& object, const T& seen, waiter& link) {
  { seen.ready() } -> std::convertible_to<bool>;
  object.subscribe(link);
};

/// A reference to something to wait for; a handle or pointer stands for what it leads to.
class waitable_ref {
 public:
  template <typename T>
  requires waitable<T> waitable_ref(T& object)
  noexcept  // NOLINT(google-explicit-constructor)
      : object_(&object),
        ready_([](void* at) { return static_cast<bool>(static_cast<const T*>(at)->ready()); }),
        subscribe_([](void* at, waiter& link) { static_cast<T*>(at)->subscribe(link); }) {}
  template <typename Handle>
  requires waitable<std::remove_reference_t<decltype(*std::declval<const Handle&>())>> waitable_ref(
      const Handle& handle)
  noexcept : waitable_ref(*handle) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool ready() const { return ready_(object_); }
  void subscribe(waiter& link) const { subscribe_(object_, link); }

 private:
  void* object_;
  bool (*ready_)(void*);
  void (*subscribe_)(void*, waiter&);
};

/// References to all objects of a range.
template <std::ranges::range Objects>
[[nodiscard]] std::vector<waitable_ref> waitables(Objects&& objects) {
  std::vector<waitable_ref> all;
  for (auto&& object : objects)
    all.emplace_back(object);
  return all;
}

/// The indexes of objects as these become ready.
/// Affinity: one greenlet at a time.
/// Lifetime: the objects are borrowed until each is ready or the iwait has gone.
class iwait {
 public:
  static constexpr std::size_t all = std::numeric_limits<std::size_t>::max();

  /// Gives at most `count` of them, and none that becomes ready after `until`.
  explicit iwait(const std::vector<waitable_ref>& objects, std::optional<steady_time> until = std::nullopt,
                 std::size_t count = all);
  ~iwait();
  iwait(const iwait&) = delete;
  iwait& operator=(const iwait&) = delete;

  /// Waits for the next one; nothing when all (or `count`) were given, or the time is over.
  /// Cancel: nothing is lost, next() may be called again.
  [[nodiscard]] std::optional<std::size_t> next();

  class iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using value_type = std::size_t;
    using difference_type = std::ptrdiff_t;
    explicit iterator(iwait& of) : of_(&of), at_(of.next()) {}
    [[nodiscard]] std::size_t operator*() const noexcept { return *at_; }
    iterator& operator++() {
      at_ = of_->next();
      return *this;
    }
    void operator++(int) { ++*this; }
    [[nodiscard]] bool operator==(std::default_sentinel_t) const noexcept { return !at_.has_value(); }

   private:
    iwait* of_;
    std::optional<std::size_t> at_;
  };
  [[nodiscard]] iterator begin() { return iterator(*this); }
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

 private:
  struct links;
  hub& hub_;
  std::optional<steady_time> until_;
  std::size_t left_;
  std::unique_ptr<links> links_;  // off the stack: the objects lead to it
};

/// Waits until all objects are ready, or `count` of them, at most until `until`. The indexes of those that are, in the
/// order of becoming so.
[[nodiscard]] std::vector<std::size_t> wait_all(const std::vector<waitable_ref>& objects,
                                                std::optional<steady_time> until = std::nullopt,
                                                std::size_t count = iwait::all);
/// Waits for the first one; nothing at `until`, or if there are none.
[[nodiscard]] std::optional<std::size_t> wait_any(const std::vector<waitable_ref>& objects,
                                                  std::optional<steady_time> until = std::nullopt);

}  // namespace grove
