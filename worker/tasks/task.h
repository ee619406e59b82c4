// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <type_traits>
#include <utility>

#include "worker/tasks/stored.h"
#include "worker/tasks/task_base.h"

namespace grove {

/// A task whose body returns T.
template <typename T>
class typed_task : public task_base {
 public:
  /// Waits for the end and moves the value out (a second get() finds it moved from).
  /// Errors: what the task failed with; task_killed; task_unfinished at `until`.
  T get(std::optional<steady_time> until = std::nullopt) {
    if (!join(until)) throw task_unfinished("the task has not finished in time");
    if (!result_) throw_failure();
    if constexpr (!std::is_void_v<T>) return std::move(*result_);
  }
  /// The value, in its place; null if there is none (yet). Not null after the success of a task that returns nothing.
  [[nodiscard]] tasks::detail::stored<T>* value() noexcept { return result_ ? &*result_ : nullptr; }

  /// Sets `target`, an async_result<T> or its like, at the end: to a copy of the value (the value itself, if it cannot
  /// be copied) or to what get() would throw.
  /// Lifetime: `target` is borrowed until then, or until unlink().
  template <typename Target>
  std::uint64_t link_to(Target& target) {
    return link([this, &target](task_base&) {
      using value = tasks::detail::stored<T>;
      if (!result_)
        target.set_exception(failure());
      else if constexpr (std::is_copy_constructible_v<value>)
        target.set(*result_);
      else
        target.set(std::move(*result_));
    });
  }

 protected:
  using task_base::task_base;
  std::optional<tasks::detail::stored<T>> result_;
};

/// A counted handle of a task that returns T.
template <typename T>
class spawned : public task_ptr {
 public:
  spawned() noexcept = default;
  explicit spawned(typed_task<T>* target) noexcept : task_ptr(target) {}
  [[nodiscard]] typed_task<T>* operator->() const noexcept { return static_cast<typed_task<T>*>(get()); }
};

namespace tasks::detail {

template <typename F, typename T>
class task_of final : public typed_task<T> {
 public:
  task_of(hub& on, F&& call, stack_class stack) : typed_task<T>(on, stack), call_(std::move(call)) {}

 private:
  void body() override { store_result<T>(this->result_, *call_); }
  void drop_body() noexcept override { call_.reset(); }
  std::optional<F> call_;
};

}  // namespace tasks::detail

/// A task that is not scheduled until its start(); one that is killed or dropped before never runs.
template <typename F>
auto make_task_on(hub& on, F&& body, stack_class stack = stack_class::small) {
  using held = std::decay_t<F>;
  using result = std::invoke_result_t<held&>;
  return spawned<result>(new tasks::detail::task_of<held, result>(on, held(std::forward<F>(body)), stack));
}

/// Schedules `body` to run in a greenlet of its own, at the next pass or at `when`; spawned greenlets start in the
/// order of spawning. One that finds no free stack starts as soon as there is one. An error that nobody asks for goes
/// to the hub's error handler.
template <typename F>
auto spawn_on(hub& on, F&& body, std::optional<steady_time> when = std::nullopt,
              stack_class stack = stack_class::small) {
  auto handle = make_task_on(on, std::forward<F>(body), stack);
  handle->start(when);
  return handle;
}

/// On the hub of the calling thread.
template <typename F>
auto spawn(F&& body) {
  return spawn_on(hub::current(), std::forward<F>(body));
}
template <typename F>
auto spawn_later(time_span delay, F&& body) {
  hub& on = hub::current();
  return spawn_on(on, std::forward<F>(body), time_after(on.now(), delay));
}

/// A greenlet without any of that, which the hub starts at the next pass: what leaves its body goes to the hub's error
/// handler (gevent's spawn_raw).
/// Lifetime: the drop of the last handle unwinds it, so somebody must keep it while it waits.
template <typename F>
[[nodiscard]] greenlet_ptr spawn_raw(F&& body) {
  hub& on = hub::current();
  greenlet_ptr made = greenlet::make(std::forward<F>(body), {.parent = &on.hub_greenlet()});
  on.post([made] { made->resume(); });
  return made;
}

}  // namespace grove
