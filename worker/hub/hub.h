// SPDX-License-Identifier: Apache-2.0
#pragma once

// The hub runs the event loop of a thread, in the greenlet that made it. A greenlet that waits switches to the hub, or to
// the next one in line where the hub would do that; it is resumed from the ready queue when what it waits for has
// happened.
//
// - One pass: what other threads posted, ready items by their priority, the components, due timers, and I/O if nothing
//   was done or it has not been looked at for a while. Each part is a batch that is bounded in count and in time. The
//   hub sleeps only when a pass did nothing and every component agrees.
// - Nothing that runs in the hub's context may wait; an attempt throws blocking_in_hub.
// - Resuming a greenlet, arming a timer and posting an intrusive item allocate nothing but the growth of an array.
// - The io_context's I/O is without locks: everything Asio stays on the hub's thread. Other threads use poke() and
//   post_from_thread() only. Its scheduler has locks, for Asio's own threads: those that resolve names.

#include <array>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/callback.h"
#include "base/check.h"
#include "base/clock.h"
#include "worker/greenlet/greenlet.h"
#include "worker/hub/background_wait.h"
#include "worker/hub/callback_timer.h"
#include "worker/hub/hub_parts.h"
#include "worker/hub/ready.h"
#include "worker/hub/timer.h"
#include "worker/hub/waits.h"

namespace grove {

class hub_task;
class waiter;
class wait_bound;
class waiter_list;
namespace hubs::detail {
struct idle_waiters;
}

class hub {
 public:
  /// The calling greenlet becomes the hub's greenlet, and the hub the loop of the thread: for ever, or with
  /// `shares_thread` while it is polled and within each hub_scope. Hubs that share a thread are made by one greenlet.
  /// Errors: greenlet_error if the thread has a hub, and shares it not.
  /// Lifetime: `time` is borrowed.
  explicit hub(const clock& time, hub_options options = {});

  /// Unwinds the greenlets that are left: spawned ones are killed and get loop passes to finish in; the rest is
  /// thrown greenlet_exit. Raw greenlets that wait must have been dropped by their owners.
  ~hub();
  hub(const hub&) = delete;
  hub& operator=(const hub&) = delete;

  /// The hub of the calling thread.
  /// Errors: greenlet_error if there is none.
  [[nodiscard]] static hub& current() {
    hub* const found = current_or_null();
    if (found == nullptr) [[unlikely]]
      throw_no_hub();
    return *found;
  }
  [[nodiscard]] static hub* current_or_null() noexcept { return static_cast<hub*>(thread_loop()); }

  /// Runs passes until stop(). Sleeps when there is nothing to do.
  /// Affinity: the hub's greenlet, as poll() and run_ready().
  /// Errors: they and join() throw a system error (see set_error_classifier()) after the pass in which it was thrown.
  void run();
  /// run() that ends by itself when nothing is pending any more: no spawned greenlet is ready, no timer, I/O or hold() is
  /// under way. Nothing can wake what still waits then; that is a deadlock, gevent's LoopExit. Components, background
  /// timers and handlers of signals keep no loop alive.
  loop_end join(std::optional<steady_time> until = std::nullopt);
  /// join() that ends with `ended`; true if it has finished, false after stop() or at `until`.
  /// Errors: loop_exit when nothing is pending and it has not finished.
  bool run_until(const hub_task& ended, std::optional<steady_time> until = std::nullopt);
  /// Until release(), something is pending: for work elsewhere that will be posted from its thread. They count.
  /// Affinity: hub thread.
  void hold() noexcept { ++holds_; }
  void release() noexcept;
  /// One pass that never sleeps, I/O included. True if anything was done.
  bool poll();
  /// poll() until a pass does nothing; true if anything was done. At most `passes_max` passes.
  bool run_ready(std::size_t passes_max = 100'000);
  /// What run() does where the thread is not this hub's alone: between a fall_asleep() that was true and wake_up() its
  /// components take it for a sleeping one, and poke it. False: there is something to do, and it is awake.
  /// Affinity: the hub's greenlet, as wake_up() and has_work().
  [[nodiscard]] bool fall_asleep();
  void wake_up();
  /// Whether a hub that sleeps would have been woken by now: something is ready or posted, it was poked, a timer is due.
  [[nodiscard]] bool has_work() const noexcept;
  /// When the first timer expires; nothing if none is armed.
  [[nodiscard]] std::optional<steady_time> next_timer() const noexcept;
  /// Makes run() return after the pass that is under way.
  /// Affinity: any thread.
  void stop() noexcept;

  /// The executor of the I/O objects of this hub.
  [[nodiscard]] asio::io_context& io() noexcept { return io_; }
  [[nodiscard]] const clock& time() const noexcept { return time_; }
  /// The clock's time, read now.
  [[nodiscard]] steady_time now() const noexcept { return time_.now(); }
  /// The time at which the present pass began: free of cost.
  [[nodiscard]] steady_time pass_time() const noexcept { return pass_time_; }
  [[nodiscard]] greenlet& hub_greenlet() const noexcept { return *greenlet_; }
  /// True in the hub's own context, where nothing may wait.
  [[nodiscard]] bool in_hub() const noexcept { return greenlet_->is_current(); }
  /// True on the hub's thread. Affinity: any thread.
  [[nodiscard]] bool is_on_thread() const noexcept { return greenlet_->is_of_this_thread(); }

  /// Runs the item in a coming pass, after everything that was posted before with the same priority.
  void post(ready_item& item, hub_priority priority = hub_priority::normal) noexcept {
    GROVE_DEBUG_CHECK(is_on_thread(), "an item is posted from another thread: that is post_from_thread()'s business");
    ready(priority).push(item);
  }
  /// The same for a callable; costs an allocation.
  void post(unique_function<void()> call, hub_priority priority = hub_priority::normal);
  /// The same for a callable that takes the hub.
  template <typename F>
  requires(!std::is_invocable_v<std::decay_t<F>&> &&
           callback_for<std::decay_t<F>&, hub&>) void post(F&& call, hub_priority priority = hub_priority::normal) {
    post(unique_function<void()>([this, call = std::forward<F>(call)]() mutable { call_callback(call, *this); }),
         priority);
  }
  /// Takes an item back that was posted with this priority.
  void unpost(ready_item& item, hub_priority priority = hub_priority::normal) noexcept { ready(priority).remove(item); }

  /// post() for other threads. These calls run first in a pass, in the order of posting.
  /// Affinity: any thread.
  void post_from_thread(unique_function<void()> call);
  /// Wakes the hub if it sleeps or is about to, so that components are polled.
  /// Affinity: any thread.
  void poke() noexcept;

  /// Components are polled in the order of attaching.
  /// Lifetime: borrowed until detach().
  void attach(hub_component& component);
  void detach(hub_component& component) noexcept;

  /// This hub's `Service`, made with `Service(hub&)` at the first call.
  /// Lifetime: the hub's; services are destroyed last made first, when the greenlets have been unwound.
  template <typename Service>
  Service& service() {
    GROVE_DEBUG_CHECK(is_on_thread(), "a hub's service is asked for from another thread");
    if (hub_service* made = find_service(&service_kind<Service>)) return static_cast<Service&>(*made);
    services_.push_back({&service_kind<Service>, std::make_unique<Service>(*this)});
    return static_cast<Service&>(*services_.back().object);
  }

  /// Throws `thrown` into `target` at its present wait in this hub, or at its next one if it is not in one that can
  /// still be interrupted: a wait that has been woken completes, and one that is `uninterrupted` goes on. The first
  /// pending delivery wins: false if there is one. `source` tells deliveries apart for cancel_interrupt().
  bool interrupt(greenlet& target, std::exception_ptr thrown, const void* source = nullptr) noexcept;
  /// Takes a pending delivery back (of any source, if null) that has not been thrown. True if there was one.
  bool cancel_interrupt(greenlet& target, const void* source = nullptr) noexcept;
  [[nodiscard]] bool interrupt_pending(const greenlet& target) const noexcept;

  /// Called for what callbacks, components and unobserved tasks throw; by default the text goes to stderr.
  using error_handler = unique_function<void(std::string_view where, std::exception_ptr error)>;
  void set_error_handler(error_handler handler) { error_handler_ = std::move(handler); }
  void report(std::string_view where, const std::exception_ptr& error) noexcept;
  /// Says of an error what it is; all are ordinary by default. gevent's NOT_ERROR are ignored ones, its SYSTEM_ERROR
  /// system ones: those stop the hub, and whoever runs it gets them, also if the task that failed is observed.
  using error_classifier = unique_function<error_kind(const std::exception_ptr& error)>;
  void set_error_classifier(error_classifier classifier) { error_classifier_ = std::move(classifier); }

  /// Is told of every task as it is started; none is told, if null.
  /// Lifetime: borrowed.
  void observe_tasks(hub_task_observer* observer) noexcept { task_observer_ = observer; }
  /// A number that no other call in the process returns, on whatever hub.
  [[nodiscard]] std::uint64_t draw_identity() noexcept;

  [[nodiscard]] std::size_t armed_timers() const noexcept { return timers_.size(); }
  [[nodiscard]] std::size_t ready_count() const noexcept {
    return ready_[0].size() + ready_[1].size() + ready_[2].size();
  }
  /// Spawned greenlets that have not finished.
  [[nodiscard]] std::size_t live_tasks() const noexcept { return live_tasks_; }
  /// Greenlets that wait in this hub.
  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_; }
  /// Loop passes since the start.
  /// Affinity: any thread, as asleep().
  [[nodiscard]] std::uint64_t passes() const noexcept { return passes_.load(std::memory_order_relaxed); }
  /// It sleeps until something happens, or is about to, or runs what has just woken it.
  [[nodiscard]] bool asleep() const noexcept { return sleeping_.load(std::memory_order_relaxed); }
  /// Walks queues, timers and tasks, and aborts with the name of the first invariant that does not hold.
  /// Affinity: hub thread, between passes of the loop.
  void check_invariants() const;

 private:
  friend class waiter;
  friend class hub_task;
  friend class hub_timer;
  friend class wait_bound;
  friend void idle(hub_priority quiet);
  friend class place_in_line;

  [[nodiscard]] ready_queue& ready(hub_priority priority) noexcept {
    return ready_[static_cast<std::size_t>(priority)];
  }
  [[nodiscard]] bool nothing_ready() const noexcept {
    return ready_[0].empty() && ready_[1].empty() && ready_[2].empty();
  }
  [[nodiscard]] bool is_time_over(steady_time batch_began) noexcept;
  [[noreturn]] static void throw_no_hub();
  bool pass(bool look_at_io);
  bool run_batch(hub_priority priority);
  std::size_t run_some(ready_queue& queue, std::size_t count);
  /// Whom a greenlet that waits resumes.
  [[nodiscard]] greenlet& next_to_run() noexcept {
    greenlet* const next = handover_.take_waiting();
    return next != nullptr ? *next : *greenlet_;
  }
  [[nodiscard]] waiter_list& idle_waiters(hub_priority quiet);
  bool wake_idle(std::size_t busiest) noexcept;
  [[nodiscard]] error_kind kind_of(const std::exception_ptr& error) noexcept;
  bool escalate(const std::exception_ptr& error) noexcept;
  void throw_system_error();
  bool poll_components();
  bool run_foreign();
  bool fire_timers();
  bool poll_io();
  void sleep();
  void block();
  void take_pokes() noexcept;
  void trim() noexcept;
  void unwind_tasks() noexcept;
  void require_hub_context() const;
  loop_end run_while_pending(const hub_task* ended, std::optional<steady_time> until);
  bool anything_pending();
  bool io_pending();
  struct owned_service {
    const void* kind;
    std::unique_ptr<hub_service> object;
  };
  template <typename Service>
  static constexpr char service_kind = 0;  // its address tells the kinds apart
  [[nodiscard]] hub_service* find_service(const void* kind) const noexcept;
  void try_stack_waiters() noexcept;

  const clock& time_;
  hub_options options_;
  greenlet_ptr greenlet_;
  std::array<ready_queue, hub_priorities> ready_;
  handover handover_;
  timer_heap timers_;
  steady_time pass_time_;
  steady_time looked_at_;  // the clock, last, in this pass
  steady_time io_looked_at_;
  steady_time trims_at_;
  bool trims_on_ = false;  // the last trim left something over
  unsigned passes_without_io_ = 0;
  std::atomic<std::uint64_t> passes_{0};  // written by the hub's thread only
  std::size_t sleepers_ = 0;              // the first components, which take the hub for a sleeping one
  std::size_t waiting_ = 0;
  std::size_t live_tasks_ = 0;
  std::size_t holds_ = 0;
  std::uint64_t last_identity_ = 0;
  std::uint64_t tasks_ever_ = 0;
  hub_task_observer* task_observer_ = nullptr;
  std::vector<hub_component*> components_;
  std::vector<owned_service> services_;
  std::unique_ptr<hubs::detail::idle_waiters> idle_;
  error_handler error_handler_;
  error_classifier error_classifier_;
  std::exception_ptr system_error_;

  asio::io_context io_;
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work_;
  background_wait pokes_;

  int poke_fd_;
  std::atomic<bool> poked_{false};
  std::atomic<bool> sleeping_{false};
  std::atomic<bool> signalled_{false};  // the eventfd has been written and not read
  std::atomic<bool> stopping_{false};
  std::atomic<bool> has_foreign_{false};
  std::mutex foreign_mutex_;
  std::vector<unique_function<void()>> foreign_;
  std::vector<unique_function<void()>> foreign_taken_;  // of which the first foreign_ran_ have been run
  std::size_t foreign_ran_ = 0;

  ready_queue stack_waiters_;
  std::size_t stacks_used_then_ = 0;  // when the last of them found none
  callback_timer stack_retry_{[] {}};
  hub_task* tasks_ = nullptr;  // the live ones, a list
};

}  // namespace grove
