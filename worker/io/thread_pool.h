// SPDX-License-Identifier: Apache-2.0
#pragma once

// Real threads for calls that block the whole thread and cannot be helped to wait as greenlets: name lookups, file
// systems, libraries.
//
// - Only the calling greenlet waits; the value or the exception comes home.
// - Nothing stops a native call that has begun. A kill or a timeout ends the wait and leaves the call alone, so the
//   callable must own all that it uses: what it has captured by reference may be gone before it ends.
// - The callable runs, and is destroyed, on a thread of the pool; one that is withdrawn before it begins, on the hub's.
// - A callable must not touch the hub, greenlets or anything of theirs, and must not need the hub's thread to end.
// - All signals but those of faults are blocked in the threads; a process that a callable starts inherits that.

#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <type_traits>
#include <utility>

#include "worker/io/thread_crew.h"
#include "worker/tasks/imap.h"
#include "worker/tasks/stored.h"
#include "worker/tasks/task.h"

namespace grove {

namespace io::detail {

template <typename T>
class typed_job : public thread_job {
 public:
  T get() {
    throw_error();
    if constexpr (!std::is_void_v<T>) return std::move(*result_);
  }

 protected:
  std::optional<tasks::detail::stored<T>> result_;
};

template <typename F, typename T>
class job_of final : public typed_job<T> {
 public:
  template <typename Call>
  explicit job_of(Call&& call) : call_(std::forward<Call>(call)) {}

 private:
  void run_body() override { tasks::detail::store_result<T>(this->result_, *call_); }
  void drop_body() noexcept override { call_.reset(); }
  std::optional<F> call_;
};

}  // namespace io::detail

/// A counted handle of a call on a thread_pool. Dropping it leaves the call alone; an error that nobody has asked for
/// then goes to the hub's error handler.
/// Affinity: hub thread.
template <typename T>
class thread_call {
 public:
  thread_call() noexcept = default;
  explicit thread_call(std::shared_ptr<io::detail::typed_job<T>> job) noexcept : job_(std::move(job)) {}
  [[nodiscard]] explicit operator bool() const noexcept { return job_ != nullptr; }

  /// Ended, and its end has come home.
  [[nodiscard]] bool ready() const noexcept { return job_->ready(); }
  [[nodiscard]] bool successful() const noexcept { return job_->successful(); }
  /// What it failed with, else null.
  [[nodiscard]] std::exception_ptr exception() const noexcept { return job_->exception(); }

  /// Waits for the end; false at `until`. Never throws the call's error.
  bool join(std::optional<steady_time> until = std::nullopt) const { return job_->join(until); }
  /// Waits for the end and moves the value out.
  /// Errors: what the call threw; call_withdrawn; task_unfinished at `until`.
  T get(std::optional<steady_time> until = std::nullopt) {
    if (!join(until)) throw task_unfinished("the call has not ended in time");
    return job_->get();
  }
  /// Nobody will ask: a call that has not begun is withdrawn, the end of another is dropped in silence.
  void abandon() noexcept { job_->abandon(); }

  /// Calls in the hub's context when the call has ended, or soon if it has, in the order of linking.
  void link(unique_function<void(thread_call&)> call) {
    job_->link([call = std::move(call)](io::detail::thread_job& ended) mutable {
      thread_call handle(std::static_pointer_cast<io::detail::typed_job<T>>(ended.shared_from_this()));
      call(handle);
    });
  }
  /// For wait_any() and its like.
  void subscribe(waiter& until_ready) noexcept { job_->subscribe(until_ready); }

 private:
  friend class thread_pool;
  std::shared_ptr<io::detail::typed_job<T>> job_;
};

/// Affinity: the thread of its hub, unless said otherwise.
/// Lifetime: the destructor withdraws what has not begun and waits, without letting other greenlets run, for the calls
/// that run; stop() before it waits as greenlets do. A pool may outlive its hub: the ends of its calls are dropped then.
class thread_pool {
 public:
  explicit thread_pool(thread_pool_options options = {}, hub& on = hub::current())
      : crew_(std::make_shared<io::detail::thread_crew>(on, std::move(options))) {}
  ~thread_pool() { crew_->end(); }
  thread_pool(const thread_pool&) = delete;
  thread_pool& operator=(const thread_pool&) = delete;

  /// The pool that a hub has for whatever blocks; it ends with the hub.
  [[nodiscard]] static thread_pool& of(hub& on);

  /// Has `call` called on a thread. Waits while there are calls_max calls under way.
  /// Errors: invalid_thread_use on another thread than the hub's; call_withdrawn after stop(); std::system_error if
  /// there is no thread and none can be made; stack_low.
  /// Cancel: nothing has been submitted.
  template <typename F>
  auto submit(F&& call) {
    return submit_to(crew_, std::forward<F>(call));
  }
  /// An empty handle in place of waiting.
  template <typename F>
  [[nodiscard]] auto try_submit(F&& call) {
    return crew_->try_enter() ? start(crew_, std::forward<F>(call)) : decltype(start(crew_, std::forward<F>(call)))();
  }
  /// An empty handle if there was no room until `until`.
  template <typename F>
  [[nodiscard]] auto submit_until(steady_time until, F&& call) {
    const auto crew = crew_;
    return crew->enter(until) ? start(crew, std::forward<F>(call)) : decltype(start(crew, std::forward<F>(call)))();
  }

  /// submit(), waits for the end, returns the value or throws. On a thread of the pool itself it just calls.
  /// Cancel: abandons the call, see thread_call::abandon().
  template <typename F>
  auto call(F&& what) {
    if (crew_->is_own_thread()) return std::forward<F>(what)();
    auto made = submit(std::forward<F>(what));
    struct abandoned {
      decltype(made)& of;
      ~abandoned() {
        if (!of.ready()) of.abandon();
      }
    } guard{made};
    return made.get();
  }

  /// The results of `call`, which several threads call at the same time, for each of `items`, in their order. `call` and
  /// the items are copied (or moved) as group::imap() does. Dropping the results withdraws what has not begun.
  template <typename F, typename Items>
  [[nodiscard]] auto imap(F&& call, Items&& items, std::size_t results_max = imap_unlimited) {
    return imap_in(tasks::detail::imap_order::of_items, results_max, std::forward<F>(call), std::forward<Items>(items));
  }
  /// imap() with the results in the order in which they come home.
  template <typename F, typename Items>
  [[nodiscard]] auto imap_unordered(F&& call, Items&& items, std::size_t results_max = imap_unlimited) {
    return imap_in(tasks::detail::imap_order::of_ends, results_max, std::forward<F>(call), std::forward<Items>(items));
  }
  /// Waits for all results: a vector, in the order of the items.
  /// Errors: the first one in that order.
  template <typename F, typename Items>
  auto map(F&& call, Items&& items) {
    return tasks::detail::collect(imap(std::forward<F>(call), std::forward<Items>(items)));
  }

  /// Returns at once. Threads beyond `threads_max` end when they are idle; with 0, calls wait for a size.
  void resize(std::size_t threads_max) { crew_->resize(threads_max); }
  /// Withdraws what has not begun, takes no more calls, and waits for the calls that run and the ends of the threads;
  /// false at `until`. Idempotent. Once the hub has gone it waits as the destructor does.
  bool stop(std::optional<steady_time> until = std::nullopt) {
    crew_->close();
    return crew_->wait_closed(until);
  }

  /// Threads that there are. They are made when they are needed.
  [[nodiscard]] std::size_t threads() const noexcept { return crew_->threads(); }
  [[nodiscard]] std::size_t threads_max() const noexcept { return crew_->threads_max(); }
  /// Calls under way, and those of them that wait for a thread.
  [[nodiscard]] std::size_t calls() const noexcept { return crew_->calls(); }
  [[nodiscard]] std::size_t queued() const noexcept { return crew_->queued(); }

 private:
  using crew_ptr = std::shared_ptr<io::detail::thread_crew>;

  /// Starts the items of an imap.
  class item_start {
   public:
    explicit item_start(crew_ptr crew) : crew_(std::move(crew)) {}
    template <typename F>
    auto start(F&& body) {
      auto made = submit_to(crew_, std::forward<F>(body));
      under_way_->insert(made.job_);
      return made;
    }
    template <typename R, typename Call>
    void on_end(thread_call<R>& made, Call call) {
      made.link([call = std::move(call), under_way = under_way_](thread_call<R>& ended) mutable {
        under_way->erase(ended.job_);
        call(tasks::detail::outcome_of<R>([&] { return ended.get(); }));
      });
    }
    void stop() noexcept {
      for (const auto& at : std::exchange(*under_way_, {}))
        at->abandon();
    }

   private:
    using jobs = std::set<std::shared_ptr<io::detail::thread_job>>;
    crew_ptr crew_;
    std::shared_ptr<jobs> under_way_ = std::make_shared<jobs>();
  };

  template <typename F>
  static auto start(const crew_ptr& crew, F&& call) {
    using held = std::decay_t<F>;
    using result = std::invoke_result_t<held&>;
    std::shared_ptr<io::detail::typed_job<result>> job;
    try {
      job = std::make_shared<io::detail::job_of<held, result>>(std::forward<F>(call));
    } catch (...) {
      crew->leave_entered();
      throw;
    }
    crew->start_entered(job);
    return thread_call<result>(std::move(job));
  }
  template <typename F>
  static auto submit_to(const crew_ptr& shared, F&& call) {
    const crew_ptr crew = shared;  // NOLINT(performance-unnecessary-copy-initialization): the pool may go meanwhile
    (void)crew->enter(std::nullopt);
    return start(crew, std::forward<F>(call));
  }
  template <typename F, typename Items>
  auto imap_in(tasks::detail::imap_order order, std::size_t results_max, F&& call, Items&& items) {
    return tasks::detail::imap_with(crew_->on(), order, results_max, item_start(crew_), std::forward<F>(call),
                                    std::forward<Items>(items));
  }

  crew_ptr crew_;
};

/// thread_pool::call() in the pool of the calling hub.
template <typename F>
auto call_in_thread(F&& call) {
  return thread_pool::of(hub::current()).call(std::forward<F>(call));
}

}  // namespace grove
