// SPDX-License-Identifier: Apache-2.0
#pragma once

// A function mapped over items by greenlets or threads, with the results as a range.
//
// - A greenlet of its own, the feeder, goes through the items and starts a task for each; it may wait for a place in a
//   pool and for the reader. The input may be endless, may wait, and may throw: that error comes after all results.
// - What an item throws is thrown at its place; the reader may go on after it.
// - Nothing that was started outlives the results: see imap_results.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "base/fatal.h"
#include "worker/greenlet/off_stack.h"
#include "worker/tasks/membership.h"
#include "worker/tasks/semaphore.h"

namespace grove {

/// No limit on the items under way and on the results that nobody has read.
inline constexpr std::size_t imap_unlimited = std::numeric_limits<std::size_t>::max() / 2;

namespace tasks::detail {

/// Results come in the order of their items, or as they are ready.
enum class imap_order : std::uint8_t { of_items, of_ends };

template <typename R>
struct item_outcome {
  std::optional<R> value{};
  std::exception_ptr error{};
};

/// What `get()` gives or throws.
template <typename R, typename Get>
item_outcome<stored<R>> outcome_of(Get&& get) noexcept {
  try {
    if constexpr (std::is_void_v<R>) {
      get();
      return {nothing{}, nullptr};
    } else {
      return {get(), nullptr};
    }
  } catch (...) {
    return {std::nullopt, caught_error()};
  }
}

/// Results between those who make them and who reads them.
template <typename R>
class imap_state {
 public:
  imap_state(hub& on, imap_order order, std::size_t results_max) : room_(on, results_max), on_(on), order_(order) {
    if (results_max == 0) throw std::invalid_argument("an imap without room for a result never gives one");
  }
  imap_state(const imap_state&) = delete;
  imap_state& operator=(const imap_state&) = delete;
  virtual ~imap_state() = default;
  /// Ends what is under way.
  virtual void stop() noexcept = 0;

  /// The next outcome, waiting for it; nothing at the end.
  std::optional<item_outcome<R>> take() {
    for (;;) {
      if (!results_.empty() && results_.front()) {
        std::optional<item_outcome<R>> taken = std::move(results_.front());
        results_.pop_front();
        ++taken_;
        room_.release();
        return taken;
      }
      if (fed_ && under_way_ == 0) {
        if (feed_error_ == nullptr) return std::nullopt;
        return item_outcome<R>{std::nullopt, std::exchange(feed_error_, nullptr)};
      }
      const off_stack<waiter> next(on_);
      readers_.push(*next);
      next->wait();
    }
  }

 protected:
  /// The number that the item's end is told with.
  std::uint64_t begin_item() {
    ++under_way_;
    if (order_ == imap_order::of_ends) return 0;
    results_.emplace_back();
    return taken_ + results_.size() - 1;
  }
  void end_item(std::uint64_t number, item_outcome<R> outcome) {
    --under_way_;
    if (order_ == imap_order::of_ends)
      results_.emplace_back(std::move(outcome));
    else
      results_[number - taken_] = std::move(outcome);
    readers_.wake_all();
  }
  void end_feed(std::exception_ptr error) {
    fed_ = true;
    feed_error_ = std::move(error);
    readers_.wake_all();
  }

  semaphore room_;

 private:
  hub& on_;
  imap_order order_;
  bool fed_ = false;
  std::uint64_t under_way_ = 0;
  std::uint64_t taken_ = 0;
  std::deque<std::optional<item_outcome<R>>> results_;
  std::exception_ptr feed_error_;
  waiter_list readers_;
};

/// A range that is used where it is, or one that has been moved in, whose items are moved on.
template <typename Items>
class held_items {
 public:
  explicit held_items(Items&& items) : items_(std::forward<Items>(items)) {}
  [[nodiscard]] auto& range() noexcept { return items_; }
  template <typename Item>
  static std::decay_t<Item> own(Item&& item) {
    if constexpr (moves)
      return std::decay_t<Item>(static_cast<std::remove_reference_t<Item>&&>(item));
    else
      return std::forward<Item>(item);
  }

 private:
  // Only out of a container: a view that is moved in is still a view of what somebody else owns.
  static constexpr bool moves = requires { typename Items::allocator_type; };
  Items items_;
};

/// The feeder and what it has started. `Start` says how: `start(body)` gives a handle, `on_end(handle, call)` calls
/// with the outcome in the hub's context, `stop()` ends what has been started.
template <typename Start, typename F, typename Items, typename R>
class imap_run final : public imap_state<stored<R>>, public std::enable_shared_from_this<imap_run<Start, F, Items, R>> {
 public:
  imap_run(hub& on, imap_order order, std::size_t results_max, Start start, F call, Items&& items)
      : imap_state<stored<R>>(on, order, results_max),
        start_(std::move(start)),
        call_(std::make_shared<F>(std::move(call))),
        items_(std::forward<Items>(items)),
        feeder_(std::make_shared<membership>(on)) {}

  void begin() {
    feeder_->spawn([self = this->shared_from_this()] { self->feed(); })
        ->link([self = this->shared_from_this()](task_base& ended) { self->end_feed(ended.exception()); });
  }
  void stop() noexcept override {
    feeder_->end();
    start_.stop();
  }

 private:
  void feed() {
    for (auto&& item : items_.range()) {
      auto owned = held_items<Items>::own(std::forward<decltype(item)>(item));
      this->room_.acquire();
      auto handle = start_.start(
          [call = call_, owned = std::move(owned)]() mutable -> R { return std::invoke(*call, std::move(owned)); });
      start_.on_end(handle, [self = this->shared_from_this(), number = this->begin_item()](
                                item_outcome<stored<R>> outcome) { self->end_item(number, std::move(outcome)); });
    }
  }

  Start start_;
  std::shared_ptr<F> call_;
  held_items<Items> items_;
  std::shared_ptr<membership> feeder_;
};

}  // namespace tasks::detail

/// The results of an imap: a range to be gone through once, that waits where a result is not there yet.
///
///   for (const page& at : readers.imap(fetch, addresses)) ...
///
/// What an item has thrown is thrown by next(), or by the iterator's `*`; the next item comes all the same.
/// Affinity: hub thread; several greenlets may call next().
/// Lifetime: whoever drops it early ends it: no more items are started, tasks that run are killed and waited for as a
/// group does it, calls on threads are withdrawn or left alone. A range of items that was not moved in is borrowed
/// until then.
template <typename R>
class imap_results {
 public:
  explicit imap_results(std::shared_ptr<tasks::detail::imap_state<R>> state) noexcept : state_(std::move(state)) {}
  imap_results(imap_results&&) noexcept = default;
  imap_results& operator=(imap_results&& other) noexcept {
    std::swap(state_, other.state_);
    std::swap(read_, other.read_);
    return *this;
  }
  ~imap_results() {
    if (state_) state_->stop();
  }

  /// Waits for the next result; nothing at the end, as often as it is asked for.
  /// Errors: what the item has thrown; task_killed if it was killed; at the end, once, what the input has thrown.
  /// Cancel: no result is lost.
  [[nodiscard]] std::optional<R> next() {
    std::optional<tasks::detail::item_outcome<R>> taken = state_->take();
    if (!taken) return std::nullopt;
    if (taken->error) std::rethrow_exception(taken->error);
    return std::move(taken->value);
  }

  class iterator {
   public:
    using value_type = R;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;

    explicit iterator(imap_results& of) noexcept : of_(&of) {}
    [[nodiscard]] R& operator*() const {
      if (of_->read_->error) std::rethrow_exception(of_->read_->error);
      return *of_->read_->value;
    }
    iterator& operator++() {
      of_->read_ = of_->state_->take();
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const iterator& at, std::default_sentinel_t) noexcept { return at.at_end(); }

   private:
    [[nodiscard]] bool at_end() const noexcept { return !of_->read_; }
    imap_results* of_;
  };

  /// Waits for the first result. Once.
  [[nodiscard]] iterator begin() { return ++iterator(*this); }
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

 private:
  std::shared_ptr<tasks::detail::imap_state<R>> state_;
  std::optional<tasks::detail::item_outcome<R>> read_;
};

namespace tasks::detail {

template <typename F, typename Items>
using mapped = std::invoke_result_t<std::decay_t<F>&, std::decay_t<decltype(*std::begin(std::declval<Items&>()))>>;

template <typename Start, typename F, typename Items>
auto imap_with(hub& on, imap_order order, std::size_t results_max, Start start, F&& call, Items&& items) {
  using result = mapped<F, Items>;
  auto run = std::make_shared<imap_run<Start, std::decay_t<F>, Items, result>>(
      on, order, results_max, std::move(start), std::forward<F>(call), std::forward<Items>(items));
  run->begin();
  return imap_results<stored<result>>(std::move(run));
}

/// All of them, as a vector; nothing for a function that returns nothing.
template <typename R>
auto collect(imap_results<R> results) {
  std::vector<R> all;
  while (std::optional<R> at = results.next())
    all.push_back(std::move(*at));
  if constexpr (!std::is_same_v<R, nothing>) return all;
}

}  // namespace tasks::detail
}  // namespace grove
