// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "worker/tasks/imap.h"
#include "worker/tasks/joinall.h"
#include "worker/tasks/membership.h"

namespace grove {

namespace tasks::detail {

/// Starts the items of an imap as members of a group.
struct member_start {
  std::shared_ptr<membership> in;
  std::shared_ptr<membership> started;

  template <typename F>
  auto start(F&& body) {
    auto task = in->spawn(std::forward<F>(body));
    started->add_entered(task);
    return task;
  }
  template <typename R, typename Call>
  void on_end(const spawned<R>& task, Call call) {
    task->link([call = std::move(call)](task_base& ended) mutable {
      call(outcome_of<R>([&] { return static_cast<typed_task<R>&>(ended).get(); }));
    });
  }
  void stop() noexcept { started->end(); }
};

}  // namespace tasks::detail

/// A set of tasks that are waited for or killed together. Finished ones leave by themselves. It asks for no error: what
/// a member fails with goes to the hub's error handler unless somebody asks the member, or joins with
/// task_errors::raise.
/// Affinity: hub thread.
/// Lifetime: structured, as a scope of threads is: the destructor kills the members, also those that have handled a kill
/// before, and waits for their end, which no interrupt cuts short. It does not wait in the hub's context, in a member, or in a greenlet that is unwound by the
/// drop of its last handle. Who wants a member to go on discards it before.
class group {
 public:
  explicit group(hub& on = hub::current()) : state_(std::make_shared<tasks::detail::membership>(on)) {}
  ~group() { state_->end(); }
  group(const group&) = delete;
  group& operator=(const group&) = delete;

  /// spawn_on() of a member. Never waits in a group; a pool waits for a place.
  template <typename F>
  auto spawn(F&& body) {
    return kept()->spawn(std::forward<F>(body));
  }
  /// Makes a task a member, if it is not; a pool waits for a place. A finished one leaves at once.
  void add(const task_ptr& task);
  /// add(), then starts it: a task made by make_task_on().
  void start(const task_ptr& task) {
    add(task);
    task->start();
  }
  /// Takes a member out, which goes on. False if it was none.
  bool discard(const task_ptr& task) noexcept { return state_->discard(*task); }

  /// Waits until there are no members; false at `until`. With task_errors::raise, then throws what the first one in
  /// the order of adding has failed with, of those that were members when the wait began.
  /// Errors: greenlet_error in a member.
  bool join(std::optional<steady_time> until = std::nullopt, task_errors errors = task_errors::keep);

  /// Kills all members, the caller last if it is one. With kill_mode::wait it waits until there are none, killing those
  /// that are added meanwhile too, at most until `until`. True if there are none. A member gets one kill from its group:
  /// one that has handled it is waited for, and may be killed by task_base::kill() and killall().
  /// Cancel: a member that calls it is ended by its own kill in that wait.
  bool kill(kill_mode mode = kill_mode::wait, const std::exception_ptr& thrown = nullptr,
            std::optional<steady_time> until = std::nullopt);
  /// kill() of one, if it is a member. True if it has finished.
  bool kill_one(const task_ptr& task, kill_mode mode = kill_mode::wait, std::exception_ptr thrown = nullptr,
                std::optional<steady_time> until = std::nullopt);

  [[nodiscard]] std::size_t size() const noexcept { return state_->size(); }
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }
  [[nodiscard]] bool contains(const task_ptr& task) const noexcept { return state_->contains(task.get()); }
  /// Those of now, in the order of adding: a copy, so that it can be gone through while they change.
  [[nodiscard]] std::vector<task_ptr> members() const { return state_->members(); }
  [[nodiscard]] hub& on() const noexcept { return state_->on(); }

  /// Calls in a member and waits for the result. A member calls by itself: with a full pool it would wait for itself.
  /// Cancel: the call goes on.
  template <typename F>
  auto apply(F&& call) {
    return apply_in(kept(), std::forward<F>(call));
  }
  /// apply() in a greenlet of its own, that is no member: it returns at once, also if a pool is full.
  template <typename F>
  auto async_apply(F&& call) {
    return spawn_on(on(), [state = kept(), call = std::decay_t<F>(std::forward<F>(call))]() mutable {
      return apply_in(state, std::move(call));
    });
  }

  /// The results of `call` for each of `items`, in members that run at the same time, in the order of the items. `call`
  /// is shared by them; each gets a copy of its item, or the item itself out of a container that has been moved in.
  /// `results_max` bounds what is under way or waits for the reader.
  template <typename F, typename Items>
  [[nodiscard]] auto imap(F&& call, Items&& items, std::size_t results_max = imap_unlimited) {
    return imap_in(tasks::detail::imap_order::of_items, results_max, std::forward<F>(call), std::forward<Items>(items));
  }
  /// imap() with the results in the order in which they are ready.
  template <typename F, typename Items>
  [[nodiscard]] auto imap_unordered(F&& call, Items&& items, std::size_t results_max = imap_unlimited) {
    return imap_in(tasks::detail::imap_order::of_ends, results_max, std::forward<F>(call), std::forward<Items>(items));
  }
  /// Waits for all results: a vector, in the order of the items.
  /// Errors: the first one in that order; the items that are left are killed.
  template <typename F, typename Items>
  auto map(F&& call, Items&& items) {
    return tasks::detail::collect(imap(std::forward<F>(call), std::forward<Items>(items)));
  }

 protected:
  explicit group(std::shared_ptr<tasks::detail::membership> state) noexcept : state_(std::move(state)) {}
  /// For calls that wait: the group may go away meanwhile.
  [[nodiscard]] std::shared_ptr<tasks::detail::membership> kept() const noexcept { return state_; }

 private:
  template <typename F>
  static auto apply_in(const std::shared_ptr<tasks::detail::membership>& state, F&& call) {
    if (state->has_caller()) return std::forward<F>(call)();
    return state->spawn(std::forward<F>(call))->get();
  }
  template <typename F, typename Items>
  auto imap_in(tasks::detail::imap_order order, std::size_t results_max, F&& call, Items&& items) {
    tasks::detail::member_start start{state_, std::make_shared<tasks::detail::membership>(on())};
    return tasks::detail::imap_with(on(), order, results_max, std::move(start), std::forward<F>(call),
                                    std::forward<Items>(items));
  }

  std::shared_ptr<tasks::detail::membership> state_;
};

}  // namespace grove
