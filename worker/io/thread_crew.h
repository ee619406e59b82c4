// SPDX-License-Identifier: Apache-2.0
#pragma once

// The threads behind a thread_pool, and the calls on their way there and back.
//
// - A call belongs to the hub's thread, then to the thread that makes it, then to the hub's thread again. Its callable
//   is destroyed where it has run, its result on the hub's thread (where the call ended, if the hub has gone).
// - The hub's thread hands calls to idle threads, the one that became idle last first, so that the others can expire.
//   A thread that has ended a call takes the next one from the queue without asking the hub.
// - Only the hub's thread looks at the clock: a thread is idle since its last call came home.

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/check.h"
#include "worker/hub/callback_timer.h"
#include "worker/hub/hub_link.h"
#include "worker/hub/waiter.h"
#include "worker/tasks/semaphore.h"

namespace grove {

/// What belongs to one hub was used on another thread.
class invalid_thread_use : public greenlet_error {
 public:
  using greenlet_error::greenlet_error;
};

/// A call that was not begun and never will be: its pool has stopped, or who waited for it does not any more.
class call_withdrawn : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct thread_pool_options {
  std::size_t threads_max = 10;
  std::size_t calls_max = 1024;                  ///< under way: queued, running, or on their way home
  time_span idle_for = std::chrono::seconds{5};  ///< after which a thread without a call ends
  std::string name = "grove-call";               ///< of the threads, with a number; the system keeps 15 characters
  std::function<void()> thread_started{};        ///< called in every new thread: the place for a profiler's hook
};

namespace io::detail {

class thread_crew;

/// One call. Everything but run_body() is for the hub's thread.
class thread_job : public std::enable_shared_from_this<thread_job> {
 public:
  thread_job() = default;
  thread_job(const thread_job&) = delete;
  thread_job& operator=(const thread_job&) = delete;
  virtual ~thread_job();

  [[nodiscard]] bool ready() const noexcept { return ready_; }
  [[nodiscard]] bool successful() const noexcept { return ready_ && error_ == nullptr; }
  [[nodiscard]] const std::exception_ptr& exception() const noexcept {
    observed_ = true;
    return error_;
  }
  bool join(std::optional<steady_time> until);
  void link(unique_function<void(thread_job&)> call);
  void subscribe(waiter& until_ready) noexcept { waiters_.push(until_ready); }
  /// Nobody asks for the result any more: a call that has not begun never will.
  void abandon() noexcept;

 protected:
  /// Calls, keeps the value and destroys the callable.
  /// Affinity: the pool's thread.
  virtual void run_body() = 0;
  virtual void drop_body() noexcept = 0;
  void throw_error() const {
    if (exception() != nullptr) std::rethrow_exception(error_);
  }

 private:
  friend class thread_crew;
  void finish() noexcept;
  void withdraw(const char* why) noexcept;
  void run() noexcept;

  std::weak_ptr<thread_crew> crew_;
  std::exception_ptr error_;
  bool ready_ = false;
  mutable bool observed_ = false;
  waiter_list waiters_;
  std::vector<unique_function<void(thread_job&)>> links_;
};

class thread_crew : public std::enable_shared_from_this<thread_crew> {
 public:
  thread_crew(hub& on, thread_pool_options options);
  thread_crew(const thread_crew&) = delete;
  thread_crew& operator=(const thread_crew&) = delete;
  ~thread_crew() = default;

  /// Takes a place for a call; false at `until`.
  bool enter(std::optional<steady_time> until);
  [[nodiscard]] bool try_enter();
  void leave_entered() noexcept {
    GROVE_CHECK(room_.permits() < options_.calls_max, "a place for a call on a thread is given back twice");
    room_.release();
  }
  void start_entered(const std::shared_ptr<thread_job>& job);
  /// True if the call had not begun.
  bool withdraw(thread_job& job, const char* why);
  void resize(std::size_t threads_max);

  /// No new calls, none of those that wait; the threads end with their present calls.
  void close();
  bool wait_closed(std::optional<steady_time> until);
  /// close(), and waits for the threads where it is called.
  void end();

  /// The calling thread is one of the crew.
  [[nodiscard]] bool is_own_thread() const noexcept;
  [[nodiscard]] std::size_t threads() const noexcept { return threads_.size(); }
  [[nodiscard]] std::size_t threads_max() const noexcept;
  [[nodiscard]] std::size_t queued() const noexcept;
  [[nodiscard]] std::size_t calls() const noexcept { return calls_; }
  [[nodiscard]] hub& on() const noexcept { return hub_; }

 private:
  struct member {
    std::thread thread;
    std::string name;
    std::condition_variable wake;
    std::shared_ptr<thread_job> next;
    bool retired = false;
    bool idle = false;
    std::optional<steady_time> idle_since;
  };

  void require_open_here() const;
  void hire(const std::shared_ptr<thread_job>& first);
  void begin_call() noexcept;
  void end_call() noexcept;
  void count_active(int change) noexcept;
  /// What a thread does.
  void work(member& self);
  std::shared_ptr<thread_job> after_call(member& self);
  void come_home(thread_job& job, member& by);
  void left(const member& who);
  void retire(member& who) noexcept;
  void expire();

  hub& hub_;
  const std::shared_ptr<hub_link> home_;
  const thread_pool_options options_;

  // Of the hub's thread.
  bool closed_ = false;
  semaphore room_;
  std::size_t calls_ = 0;
  std::uint64_t hired_ever_ = 0;
  std::vector<std::unique_ptr<member>> threads_;
  callback_timer expiry_;
  waiter_list until_left_;

  mutable std::mutex mutex_;  // for what follows, and for the members
  std::size_t threads_max_;
  std::size_t active_ = 0;  // not retired
  std::vector<member*> idle_;
  std::deque<std::shared_ptr<thread_job>> queue_;
};

}  // namespace io::detail
}  // namespace grove
