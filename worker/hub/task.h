// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include "worker/hub/hub.h"
#include "worker/hub/stored.h"
#include "worker/hub/waiter.h"

namespace grove {

/// get() of a task that was killed: there is no value.
class task_killed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// get() within a time that was not enough.
class task_unfinished : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

enum class kill_mode : std::uint8_t { wait, do_not_wait };

/// A spawned greenlet and its end. Use it through task_ptr and spawned<T>.
/// Affinity: hub thread.
class task_base : private ready_item, private hub_timer {
 public:
  using link_function = unique_function<void(task_base&)>;

  /// Finished, in whatever way.
  [[nodiscard]] bool ready() const noexcept { return state_ == state::finished; }
  /// Finished with a value, or by greenlet_exit.
  [[nodiscard]] bool successful() const noexcept { return ready() && !error_; }
  /// Finished by greenlet_exit (a kill, before or after the start).
  [[nodiscard]] bool exited() const noexcept { return exited_; }
  /// What it failed with, else null.
  [[nodiscard]] std::exception_ptr exception() const noexcept {
    observed_ = true;
    return error_;
  }

  /// Waits for the end, at most until `until`; true if it has finished. Never throws the task's error.
  bool join(std::optional<steady_time> until = std::nullopt);

  /// Throws `thrown` (null: greenlet_exit) into the task at its present or next wait. A task that has not started
  /// never runs. The first kill wins, later ones are ignored; a finished task is left alone; a task that kills itself
  /// throws at once. With kill_mode::wait it waits for the end, at most until `until`; true if the task has finished.
  bool kill(kill_mode mode = kill_mode::wait, std::exception_ptr thrown = nullptr,
            std::optional<steady_time> until = std::nullopt);

  /// Calls `call` in the hub's context once the task has finished (soon, if it has already), in the order of linking.
  /// Returns a number for unlink().
  std::uint64_t link(link_function call);
  /// link() that does not count as asking for the error: it still goes to the hub's error handler.
  std::uint64_t watch(link_function call);
  /// Suppresses a call that has not been made, also from inside another link.
  void unlink(std::uint64_t number) noexcept;

  /// Null before the start.
  [[nodiscard]] greenlet* running_greenlet() const noexcept { return greenlet_.get(); }
  /// Lifetime: `name` is borrowed.
  void set_name(std::string_view name) noexcept;
  [[nodiscard]] hub& on() const noexcept { return hub_; }

  /// For spawn_on(), once.
  void schedule(std::optional<steady_time> when);

 protected:
  task_base(hub& on, stack_class stack);
  ~task_base() override;
  /// Runs the body and keeps its value.
  virtual void body() = 0;
  /// Destroys the callable, which may own much, as soon as it is not needed any more.
  virtual void drop_body() noexcept = 0;
  /// Throws what a get() of a task without value must throw, after a join.
  void throw_failure() const;

 private:
  friend class hub;
  friend class waiter;
  friend class task_ptr;
  enum class state : std::uint8_t { scheduled, running, finished };
  struct linked {
    std::uint64_t number;
    link_function call;
  };

  void run() override;
  void expired() override;
  void start();
  void cancel_start() noexcept;
  void run_in_greenlet();
  void finish(std::exception_ptr error, bool exited) noexcept;
  void notify() noexcept;
  void acquire() noexcept { ++handles_; }
  void release() noexcept;

  hub& hub_;
  greenlet_ptr greenlet_;
  state state_ = state::scheduled;
  stack_class stack_;
  bool exited_ = false;
  bool starved_ = false;
  bool kill_deferred_ = false;  // something else was pending: thrown at the next wait
  mutable bool observed_ = false;
  std::uint32_t handles_ = 0;
  std::exception_ptr error_;
  std::exception_ptr kill_;
  waiter_list joiners_;
  std::vector<linked> links_;
  std::uint64_t links_ever_ = 0;
  std::string_view name_;
  task_base* next_ = nullptr;
  task_base* previous_ = nullptr;
};

/// A counted handle of any task. Dropping it detaches: the task goes on.
class task_ptr {
 public:
  task_ptr() noexcept = default;
  explicit task_ptr(task_base* target) noexcept : target_(target) {
    if (target_ != nullptr) target_->acquire();
  }
  task_ptr(const task_ptr& other) noexcept : task_ptr(other.target_) {}
  task_ptr(task_ptr&& other) noexcept : target_(std::exchange(other.target_, nullptr)) {}
  task_ptr& operator=(task_ptr other) noexcept {
    std::swap(target_, other.target_);
    return *this;
  }
  ~task_ptr() {
    if (target_ != nullptr) target_->release();
  }

  [[nodiscard]] task_base* get() const noexcept { return target_; }
  [[nodiscard]] task_base* operator->() const noexcept { return target_; }
  [[nodiscard]] task_base& operator*() const noexcept { return *target_; }
  [[nodiscard]] explicit operator bool() const noexcept { return target_ != nullptr; }

 private:
  task_base* target_ = nullptr;
};

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

 protected:
  using task_base::task_base;
  std::optional<hubs::detail::stored<T>> result_;
};

/// A counted handle of a task that returns T.
template <typename T>
class spawned : public task_ptr {
 public:
  spawned() noexcept = default;
  explicit spawned(typed_task<T>* target) noexcept : task_ptr(target) {}
  [[nodiscard]] typed_task<T>* operator->() const noexcept { return static_cast<typed_task<T>*>(get()); }
};

namespace hubs::detail {

template <typename F, typename T>
class task_of final : public typed_task<T> {
 public:
  task_of(hub& on, F&& call, stack_class stack) : typed_task<T>(on, stack), call_(std::move(call)) {}

 private:
  void body() override {
    if constexpr (std::is_void_v<T>) {
      (*call_)();
      this->result_.emplace();
    } else {
      this->result_.emplace((*call_)());
    }
  }
  void drop_body() noexcept override { call_.reset(); }
  std::optional<F> call_;
};

}  // namespace hubs::detail

/// Schedules `body` to run in a greenlet of its own, at the next pass or at `when`; spawned greenlets start in the
/// order of spawning. One that finds no free stack starts as soon as there is one. An error that nobody asks for goes
/// to the hub's error handler.
template <typename F>
auto spawn_on(hub& on, F&& body, std::optional<steady_time> when = std::nullopt,
              stack_class stack = stack_class::small) {
  using held = std::decay_t<F>;
  using result = std::invoke_result_t<held&>;
  auto* made = new hubs::detail::task_of<held, result>(on, held(std::forward<F>(body)), stack);
  spawned<result> handle(made);
  made->schedule(when);
  return handle;
}

/// On the hub of the calling thread.
template <typename F>
auto spawn(F&& body) {
  return spawn_on(hub::current(), std::forward<F>(body));
}
template <typename F>
auto spawn_later(steady_duration delay, F&& body) {
  hub& on = hub::current();
  return spawn_on(on, std::forward<F>(body), on.now() + delay);
}

}  // namespace grove
