// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/check.h"
#include "worker/tasks/group.h"
#include "worker/tasks/semaphore.h"

namespace grove {

namespace tasks::detail {

/// A membership with a limited number of places, which go to those who wait in the order of arrival.
class pool_places final : public membership {
 public:
  pool_places(hub& on, std::size_t size_max) noexcept : membership(on), size_max_(size_max), free_(on, size_max) {}

  [[nodiscard]] std::size_t size_max() const noexcept { return size_max_; }
  [[nodiscard]] std::size_t free_count() const noexcept { return free_.permits(); }
  bool wait_available(std::optional<steady_time> until);
  void subscribe(waiter& link) noexcept { free_.subscribe(link); }

 private:
  bool take_place(std::optional<steady_time> until) override;
  bool try_take_place() noexcept override { return free_.try_acquire(); }
  void give_place_back() noexcept override {
    GROVE_CHECK(free_.permits() < size_max_, "a place of a pool is given back twice");
    free_.release();
  }

  std::size_t size_max_;
  semaphore free_;
};

}  // namespace tasks::detail

/// A group with at most `size_max` members: spawn(), add(), apply() and the maps wait for a place while it is full,
/// served in the order of arrival. In a pool of size 0 they wait for ever.
/// Cancel: nothing has been spawned or added, and no place is lost.
class pool : public group {
 public:
  explicit pool(std::size_t size_max, hub& on = hub::current())
      : group(std::make_shared<tasks::detail::pool_places>(on, size_max)) {}

  /// Without waiting: an empty handle if the pool is full.
  template <typename F>
  [[nodiscard]] auto try_spawn(F&& body) {
    return kept()->try_enter() ? kept()->spawn_entered(std::forward<F>(body))
                               : decltype(spawn(std::forward<F>(body)))();
  }
  /// An empty handle if there was no place until `until`.
  template <typename F>
  [[nodiscard]] auto spawn_until(steady_time until, F&& body) {
    const auto state = kept();
    return state->enter(until) ? state->spawn_entered(std::forward<F>(body)) : decltype(spawn(std::forward<F>(body)))();
  }
  /// False if the pool is full.
  [[nodiscard]] bool try_add(const task_ptr& task);
  /// False if there was no place until `until`.
  [[nodiscard]] bool add_until(const task_ptr& task, steady_time until);

  [[nodiscard]] bool full() const noexcept { return free_count() == 0; }
  [[nodiscard]] std::size_t free_count() const noexcept { return places().free_count(); }
  [[nodiscard]] std::size_t size_max() const noexcept { return places().size_max(); }
  /// Waits until a place is free, without taking it; false at `until`.
  bool wait_available(std::optional<steady_time> until = std::nullopt);

  /// For wait_any() and its like: ready while a place is free.
  [[nodiscard]] bool ready() const noexcept { return !full(); }
  void subscribe(waiter& link) noexcept { places().subscribe(link); }

 private:
  [[nodiscard]] tasks::detail::pool_places& places() const noexcept {
    return static_cast<tasks::detail::pool_places&>(*kept());
  }
};

}  // namespace grove
