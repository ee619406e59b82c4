// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "worker/hub/hub_task.h"
#include "worker/hub/waiter.h"
#include "worker/tasks/task_links.h"

namespace grove {

namespace tasks::detail {
class local_values;
struct spawn_tree;
struct task_kills;
}  // namespace tasks::detail

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

class task_ptr;
enum class kill_mode : std::uint8_t { wait, do_not_wait };

/// A spawned greenlet and its end. Use it through task_ptr and spawned<T>.
/// Affinity: hub thread.
class task_base : public hub_task, private hub_timer {
 public:
  /// A link may take the task, or nothing.
  using link_function = tasks::detail::task_links::link_function;

  /// Scheduled or running.
  [[nodiscard]] bool started() const noexcept { return state_ != state::fresh && state_ != state::finished; }
  [[nodiscard]] bool ready() const noexcept final { return state_ == state::finished; }
  /// Finished with a value, or by greenlet_exit.
  [[nodiscard]] bool successful() const noexcept { return ready() && !error_; }
  /// Finished by greenlet_exit (a kill, before or after the start).
  [[nodiscard]] bool exited() const noexcept { return exited_; }
  /// What it failed with, else null.
  [[nodiscard]] std::exception_ptr exception() const noexcept {
    observed_ = true;
    return error_;
  }

  /// Waits for the end, at most until `until`; true if it has finished. Never throws the task's error. The destructors
  /// of the task's own captures get false at once: they would wait for themselves.
  bool join(std::optional<steady_time> until = std::nullopt);

  /// Throws `thrown` (null: greenlet_exit) into the task at its present or next wait. Every kill is thrown, in the order
  /// of the kills, each at a wait of its own: a task that has handled one, or cleans up after one, gets the next one.
  /// A task that has not started never runs. One whose body has ended is left alone: its captures' destructors wait
  /// undisturbed. With kill_mode::wait it waits for the end, at most until `until`; true if the task has finished.
  /// A task that kills itself throws at once with kill_mode::wait, unless its stack unwinds, else at its next wait: a
  /// destructor that may run in the task uses kill_mode::do_not_wait. The destructors of the task's own captures may kill
  /// it, for nothing and without waiting.
  bool kill(kill_mode mode = kill_mode::wait, std::exception_ptr thrown = nullptr,
            std::optional<steady_time> until = std::nullopt);
  /// A greenlet_exit that was asked for by a kill has not been thrown yet.
  [[nodiscard]] bool exit_pending() const noexcept;

  /// Calls `call` once the task has finished (soon, if it has already), in the order of linking. Links that are called
  /// in the hub must not wait; what one throws goes to the hub's error handler and does not stop the others. Returns
  /// a number for unlink(). Both cost the same however many links there are.
  std::uint64_t link(link_function call, link_on when = link_on::any, link_in where = link_in::hub);
  std::uint64_t link_value(link_function call) { return link(std::move(call), link_on::value); }
  std::uint64_t link_exception(link_function call) { return link(std::move(call), link_on::exception); }
  /// link() of who only counts the ends, groups and joinall() above all: it does not count as asking for the error,
  /// which still goes to the hub's error handler, and unlink_all() leaves it.
  std::uint64_t watch(link_function call);
  /// Suppresses a call that has not been made, also from inside another link.
  void unlink(std::uint64_t number) noexcept;
  void unlink_all() noexcept;

  /// Schedules a task that was made and not spawned, for the next pass or for `when`. Nothing for one that is started
  /// or has finished.
  void start(std::optional<steady_time> when = std::nullopt);

  /// Null before the start and after the end.
  [[nodiscard]] greenlet* running_greenlet() const noexcept { return greenlet_.get(); }
  /// It is the calling greenlet.
  [[nodiscard]] bool is_current() const noexcept { return greenlet_ && greenlet_->is_current(); }
  [[nodiscard]] std::string_view name() const noexcept { return name_; }
  /// Lifetime: `name` is borrowed.
  void set_name(std::string_view name) noexcept;
  /// The name, or "greenlet-" and the ident.
  [[nodiscard]] std::string label();
  /// A small number that no other live task of the hub has; given at the first call, used again after the end.
  [[nodiscard]] std::size_t ident();
  /// The number of the task that made this one; 0 if that was none.
  [[nodiscard]] std::uint64_t spawner_number() const noexcept { return spawner_number_; }
  /// The same task, null if it has finished. Looks through all live tasks.
  [[nodiscard]] task_base* spawner() const noexcept;
  /// When it will start, if that is a matter of time.
  [[nodiscard]] std::optional<steady_time> starts_at() const noexcept { return expires_at(); }

  /// The task that the calling greenlet is; null if it was not spawned.
  [[nodiscard]] static task_base* calling() noexcept { return static_cast<task_base*>(of(greenlet::current())); }
  /// The tasks of a hub that are started and have not finished, in the order of starting.
  [[nodiscard]] static std::vector<task_ptr> all(const hub& of);
  /// Calls `call` for every task of the hub as it is started; it must not wait. Returns a number.
  static std::uint64_t add_spawn_callback(hub& of, link_function call);
  static void remove_spawn_callback(hub& of, std::uint64_t number) noexcept;

  /// For wait_any() and its like.
  void subscribe(waiter& link) noexcept { joiners_.push(link); }

 protected:
  task_base(hub& on, stack_class stack);
  ~task_base() override;
  /// Runs the body and keeps its value.
  virtual void body() = 0;
  /// Destroys the callable, which may own much, as soon as it is not needed any more.
  virtual void drop_body() noexcept = 0;
  /// Throws what a get() of a task without value must throw, after a join.
  void throw_failure() const;
  /// The same, for those that pass it on.
  [[nodiscard]] std::exception_ptr failure() const noexcept;

 private:
  friend class task_ptr;
  friend class joining;
  friend class tasks::detail::local_values;
  // Ending: the body has ended, or will never run, and the captures, which are somebody else's code, are being destroyed.
  enum class state : std::uint8_t { fresh, scheduled, running, ending, finished };
  using link_kind = tasks::detail::task_links::kind;

  void run() override;
  void expired() override;
  void exit_with_hub() override { (void)kill(kill_mode::do_not_wait); }
  void exit_at_once() override;
  [[nodiscard]] std::exception_ptr take_deferred_kill() noexcept override;
  void enlist() noexcept;
  void enter();
  void begin() noexcept;
  void cancel_start() noexcept;
  void end_before_start(std::exception_ptr thrown) noexcept;
  void run_in_greenlet();
  void run_body();
  void forget_kills() noexcept;
  void deliver(std::exception_ptr thrown);
  [[nodiscard]] tasks::detail::task_kills& kills();
  /// The caller destroys the captures.
  [[nodiscard]] bool ends_in_caller() const noexcept { return state_ == state::ending && drops_body(); }
  [[nodiscard]] bool drops_body() const noexcept;
  [[nodiscard]] task_base* hand_greenlet_on() noexcept;
  void finish(std::exception_ptr error, bool exited) noexcept;
  void notify() noexcept;
  void call_links() noexcept;
  void call(tasks::detail::task_links::link& due);
  std::uint64_t add_link(tasks::detail::task_links::link added);
  /// join() that nothing can end.
  void join_uninterrupted();
  [[nodiscard]] tasks::detail::local_values* tree_values(bool make);
  void adopt_tree(task_base& spawner);
  void leave_tree() noexcept;
  void acquire() noexcept { ++handles_; }
  void release() noexcept;

  greenlet_ptr greenlet_;
  state state_ = state::fresh;
  stack_class stack_;
  bool exited_ = false;
  mutable bool observed_ = false;
  std::uint32_t handles_ = 0;
  std::uint32_t ident_ = 0;  // 0: none yet, else one more than it is
  std::exception_ptr error_;
  std::unique_ptr<tasks::detail::task_kills> kills_;
  waiter_list joiners_;
  tasks::detail::task_links links_;
  std::uint64_t spawner_number_ = 0;
  std::string_view name_;
  tasks::detail::spawn_tree* tree_ = nullptr;
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

}  // namespace grove
