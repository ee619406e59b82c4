// SPDX-License-Identifier: Apache-2.0
#pragma once

// Semaphores and the reentrant lock. All of them hand over: what is released while greenlets wait goes to the one that
// waits longest, and nobody, the releaser included, can take it in between. A waiter that is killed or times out
// before the hand-over takes nothing; after it, the acquire completes and the kill comes at the next wait.
//
// They are lockables in the sense of the standard library: std::lock_guard, std::scoped_lock and std::unique_lock
// with its time limits hold and release them.

#include <cstddef>
#include <optional>
#include <utility>

#include "worker/hub/waiter.h"

namespace grove {

/// A permit is given back that nobody has, a lock is released by another than its owner, a task of a queue is done
/// more often than there were tasks.
class synchronisation_error : public greenlet_error {
 public:
  using greenlet_error::greenlet_error;
};

namespace tasks::detail {

/// The standard library's names for acquire and release.
template <typename Lock>
class lockable {
 public:
  void lock() { self().acquire(); }
  [[nodiscard]] bool try_lock() { return self().try_acquire(); }
  [[nodiscard]] bool try_lock_until(steady_time until) { return self().acquire_until(until); }
  [[nodiscard]] bool try_lock_for(time_span limit) { return try_lock_until(time_after(hub::current().now(), limit)); }
  void unlock() { self().release(); }

 protected:
  lockable() = default;
  ~lockable() = default;

 private:
  Lock& self() noexcept { return static_cast<Lock&>(*this); }
};

}  // namespace tasks::detail

/// A counter to wait for.
/// Affinity: hub thread; release() and try_acquire() also in the hub's context.
class semaphore : public tasks::detail::lockable<semaphore> {
 public:
  semaphore(hub& on, std::size_t permits) noexcept : hub_(on), permits_(permits) {}

  /// Cancel: no permit is taken and none is lost.
  void acquire();
  /// False at `until`; one that has passed does not wait.
  [[nodiscard]] bool acquire_until(steady_time until);
  [[nodiscard]] bool try_acquire() noexcept {
    if (permits_ == 0) return false;
    --permits_;
    return true;
  }
  void release() noexcept;
  [[nodiscard]] std::size_t permits() const noexcept { return permits_; }
  [[nodiscard]] bool has_waiters() const noexcept { return !waiters_.empty(); }

  /// For wait_any() and its like, which take no permit: ready while there is one that nobody waits for.
  [[nodiscard]] bool ready() const noexcept { return permits_ > 0; }
  void subscribe(waiter& link) noexcept { watchers_.push(link); }

 private:
  bool wait(std::optional<steady_time> until);

  hub& hub_;
  std::size_t permits_;
  waiter_list waiters_;
  waiter_list watchers_;
};

/// A semaphore that never has more permits than it began with.
class bounded_semaphore : private semaphore, public tasks::detail::lockable<bounded_semaphore> {
  using by_standard_name = tasks::detail::lockable<bounded_semaphore>;

 public:
  bounded_semaphore(hub& on, std::size_t permits) noexcept : semaphore(on, permits), permits_max_(permits) {}

  using by_standard_name::lock;
  using by_standard_name::try_lock;
  using by_standard_name::try_lock_for;
  using by_standard_name::try_lock_until;
  using by_standard_name::unlock;
  using semaphore::acquire;
  using semaphore::acquire_until;
  using semaphore::has_waiters;
  using semaphore::permits;
  using semaphore::ready;
  using semaphore::subscribe;
  using semaphore::try_acquire;

  /// Errors: synchronisation_error if no permit is out; nothing has changed then.
  void release();

 private:
  std::size_t permits_max_;
};

/// In place of a semaphore where there is no limit (gevent's DummySemaphore).
class unlimited_semaphore : public tasks::detail::lockable<unlimited_semaphore> {
 public:
  void acquire() noexcept {}
  [[nodiscard]] bool acquire_until(steady_time) noexcept { return true; }
  [[nodiscard]] bool try_acquire() noexcept { return true; }
  void release() noexcept {}
};

/// A lock that its owner may take again, and must release as often as it has taken it.
/// Affinity: hub thread.
/// Lifetime: an owner releases before it ends; std::lock_guard sees to it, also when it is killed.
class rlock : public tasks::detail::lockable<rlock> {
 public:
  explicit rlock(hub& on) noexcept : free_(on, 1) {}

  /// Cancel: nothing is taken.
  void acquire();
  [[nodiscard]] bool acquire_until(steady_time until);
  [[nodiscard]] bool try_acquire();
  /// Errors: synchronisation_error if the calling greenlet is not the owner.
  void release();

  [[nodiscard]] bool owned() const noexcept { return owner_ != nullptr && owner_->is_current(); }
  /// Somebody has it, or is about to run with it.
  [[nodiscard]] bool locked() const noexcept { return free_.permits() == 0; }
  /// How often the owner has taken it.
  [[nodiscard]] std::size_t depth() const noexcept { return depth_; }

  /// For wait_any() and its like.
  [[nodiscard]] bool ready() const noexcept { return free_.ready(); }
  void subscribe(waiter& link) noexcept { free_.subscribe(link); }

 private:
  bool nest() noexcept;
  void own() noexcept;

  semaphore free_;
  greenlet* owner_ = nullptr;
  std::size_t depth_ = 0;
};

}  // namespace grove
