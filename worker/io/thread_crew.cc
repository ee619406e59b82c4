// SPDX-License-Identifier: Apache-2.0
#include "worker/io/thread_crew.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>

#include "base/check.h"
#include "base/fatal.h"
#include "worker/greenlet/check_stack.h"
#include "worker/greenlet/off_stack.h"
#include "worker/hub/hub_hold.h"

namespace grove::io::detail {

namespace {

thread_local const thread_crew* this_threads_crew = nullptr;

/// While it exists, new threads are made with all signals blocked but those that a fault of their own raises.
class signals_blocked {
 public:
  signals_blocked() {
    sigset_t blocked;
    ::sigfillset(&blocked);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS})
      ::sigdelset(&blocked, fault);
    ::pthread_sigmask(SIG_SETMASK, &blocked, &before_);
  }
  signals_blocked(const signals_blocked&) = delete;
  signals_blocked& operator=(const signals_blocked&) = delete;
  ~signals_blocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

}  // namespace

thread_job::~thread_job() {
  if (error_ == nullptr || observed_) return;
  if (hub* on = hub::current_or_null()) on->report("a call on another thread", error_);
}

void thread_job::run() noexcept {
  try {
    run_body();
  } catch (...) {
    error_ = caught_error();
  }
  drop_body();
}

void thread_job::finish() noexcept {
  GROVE_CHECK(!ready_, "a call on a thread ends twice");
  ready_ = true;
  for (unique_function<void(thread_job&)>& call : std::exchange(links_, {})) {
    try {
      call(*this);
    } catch (...) {
      hub::current().report("a link of a call on another thread", caught_error());
    }
  }
  waiters_.wake_all();
}

void thread_job::withdraw(const char* why) noexcept {
  drop_body();
  error_ = std::make_exception_ptr(call_withdrawn(why));
  observed_ = true;
  finish();
}

void thread_job::abandon() noexcept {
  observed_ = true;
  if (ready_) return;
  if (const auto crew = crew_.lock()) crew->withdraw(*this, "nobody waits for the call any more");
}

bool thread_job::join(std::optional<steady_time> until) {
  if (ready_) return true;
  const off_stack<waiter> end(hub::current());
  waiters_.push(*end);
  if (until) return end->wait_until(*until);
  end->wait();
  return true;
}

void thread_job::link(unique_function<void(thread_job&)> call) {
  observed_ = true;
  if (ready_)
    hub::current().post([self = shared_from_this(), call = std::move(call)]() mutable { call(*self); });
  else
    links_.push_back(std::move(call));
}

thread_crew::thread_crew(hub& on, thread_pool_options options)
    : hub_(on),
      home_(hub_link::of(on)),
      options_(std::move(options)),
      room_(on, options_.calls_max),
      expiry_([this] { expire(); }),
      threads_max_(options_.threads_max) {
  expiry_.set_background(true);
}

std::size_t thread_crew::threads_max() const noexcept {
  const std::lock_guard lock(mutex_);
  return threads_max_;
}

std::size_t thread_crew::queued() const noexcept {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

bool thread_crew::is_own_thread() const noexcept {
  return this_threads_crew == this;
}

void thread_crew::require_open_here() const {
  if (home_->here() == nullptr) throw invalid_thread_use("a thread pool is used on another thread than its hub's");
  if (closed_) throw call_withdrawn("the thread pool has been stopped");
}

bool thread_crew::enter(std::optional<steady_time> until) {
  check_stack();
  require_open_here();
  const auto kept = shared_from_this();
  if (!until)
    room_.acquire();
  else if (!room_.acquire_until(*until))
    return false;
  if (!closed_) return true;
  room_.release();
  require_open_here();
  return false;
}

void thread_crew::begin_call() noexcept {
  ++calls_;
  hub_.hold();
}

void thread_crew::end_call() noexcept {
  GROVE_CHECK(calls_ > 0, "more calls on threads end than began");
  --calls_;
  if (hub* on = home_->here()) on->release();
  room_.release();
}

bool thread_crew::try_enter() {
  check_stack();
  require_open_here();
  return room_.try_acquire();
}

void thread_crew::start_entered(const std::shared_ptr<thread_job>& job) {
  job->crew_ = weak_from_this();
  begin_call();
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      member& next = *idle_.back();
      idle_.pop_back();
      GROVE_DEBUG_CHECK(next.idle && !next.retired && next.next == nullptr, "a thread is idle and has a call, or ends");
      next.idle = false;
      next.next = job;
      next.wake.notify_one();
      return;
    }
    if (active_ >= threads_max_) {
      queue_.push_back(job);
      return;
    }
  }
  try {
    hire(job);
  } catch (...) {
    const std::lock_guard lock(mutex_);
    if (active_ > 0) return queue_.push_back(job);  // for those that there are
    end_call();
    throw;
  }
}

void thread_crew::hire(const std::shared_ptr<thread_job>& first) {
  threads_.push_back(std::make_unique<member>());
  member& who = *threads_.back();
  who.next = first;
  // The system keeps 15 characters.
  who.name = options_.name.substr(0, 11) + "-" + std::to_string(++hired_ever_ % 1000);
  count_active(+1);
  try {
    const signals_blocked in_new_threads;
    who.thread = std::thread([self = shared_from_this(), &who] { self->work(who); });
  } catch (...) {
    count_active(-1);
    threads_.pop_back();
    throw;
  }
}

void thread_crew::count_active(int change) noexcept {
  const std::lock_guard lock(mutex_);
  active_ += static_cast<std::size_t>(change);
}

void thread_crew::work(member& self) {
  this_threads_crew = this;
  ::pthread_setname_np(::pthread_self(), self.name.c_str());
  if (options_.thread_started) options_.thread_started();
  for (;;) {
    std::shared_ptr<thread_job> job;
    {
      std::unique_lock lock(mutex_);
      self.wake.wait(lock, [&] { return self.next != nullptr || self.retired; });
      if (self.next == nullptr) break;
      job = std::move(self.next);
    }
    while (job != nullptr) {
      job->run();
      std::shared_ptr<thread_job> following = after_call(self);
      home_->post([crew = shared_from_this(), done = std::move(job), &self] { crew->come_home(*done, self); });
      job = std::move(following);
    }
  }
  home_->post([crew = shared_from_this(), &self] { crew->left(self); });
}

std::shared_ptr<thread_job> thread_crew::after_call(member& self) {
  const std::lock_guard lock(mutex_);
  if (active_ > threads_max_) {
    --active_;
    self.retired = true;
    return nullptr;
  }
  if (queue_.empty()) {
    self.idle = true;
    self.idle_since.reset();
    idle_.push_back(&self);
    return nullptr;
  }
  std::shared_ptr<thread_job> next = std::move(queue_.front());
  queue_.pop_front();
  return next;
}

void thread_crew::come_home(thread_job& job, member& by) {
  end_call();
  if (!closed_) {  // else the member may have gone
    const std::lock_guard lock(mutex_);
    if (by.idle) by.idle_since = hub_.now();
    if (!expiry_.armed()) expiry_.arm(hub_, time_after(hub_.now(), options_.idle_for));
  }
  job.finish();
}

void thread_crew::left(const member& who) {
  const auto found = std::find_if(threads_.begin(), threads_.end(), [&](const auto& at) { return at.get() == &who; });
  if (found == threads_.end()) return;
  (*found)->thread.join();  // it has only to return
  threads_.erase(found);
  if (threads_.empty()) until_left_.wake_all();
}

void thread_crew::retire(member& who) noexcept {
  GROVE_CHECK(active_ > 0 && !who.retired, "a thread is retired twice");
  GROVE_CHECK(who.next == nullptr, "a thread is retired that has a call to make");
  --active_;
  who.idle = false;
  who.retired = true;
  who.wake.notify_one();
}

void thread_crew::expire() {
  const std::lock_guard lock(mutex_);
  const steady_time since = hub_.now() - options_.idle_for.length();
  std::optional<steady_time> next;
  std::erase_if(idle_, [&](member* at) {
    if (!at->idle_since) return false;
    if (*at->idle_since <= since) {
      retire(*at);
      return true;
    }
    if (!next || *at->idle_since < *next) next = at->idle_since;
    return false;
  });
  if (next) expiry_.arm(hub_, time_after(*next, options_.idle_for));
}

bool thread_crew::withdraw(thread_job& job, const char* why) {
  std::shared_ptr<thread_job> found;
  {
    const std::lock_guard lock(mutex_);
    const auto at =
        std::find_if(queue_.begin(), queue_.end(), [&](const auto& queued) { return queued.get() == &job; });
    if (at == queue_.end()) return false;
    found = std::move(*at);
    queue_.erase(at);
  }
  end_call();
  found->withdraw(why);
  return true;
}

void thread_crew::resize(std::size_t threads_max) {
  require_open_here();
  {
    const std::lock_guard lock(mutex_);
    threads_max_ = threads_max;
    while (active_ > threads_max_ && !idle_.empty()) {
      retire(*idle_.front());
      idle_.erase(idle_.begin());
    }
  }
  for (;;) {
    std::shared_ptr<thread_job> next;
    {
      const std::lock_guard lock(mutex_);
      if (queue_.empty() || active_ >= threads_max_) return;
      next = std::move(queue_.front());
      queue_.pop_front();
    }
    try {
      hire(next);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      queue_.push_front(std::move(next));
      throw;
    }
  }
}

void thread_crew::close() {
  GROVE_CHECK(home_->gone() || home_->here() != nullptr, "a thread pool is stopped on another thread than its hub's");
  closed_ = true;
  expiry_.disarm();
  std::deque<std::shared_ptr<thread_job>> dropped;
  {
    const std::lock_guard lock(mutex_);
    threads_max_ = 0;
    dropped.swap(queue_);
    for (member* at : std::exchange(idle_, {}))
      retire(*at);
  }
  if (home_->gone()) return;
  for (const auto& job : dropped) {
    end_call();
    job->withdraw("the thread pool has been stopped");
  }
}

bool thread_crew::wait_closed(std::optional<steady_time> until) {
  const auto kept = shared_from_this();
  if (home_->gone()) {
    end();
    return true;
  }
  const hub_hold until_posted(hub_);
  while (!threads_.empty()) {
    const off_stack<waiter> end(hub_);
    until_left_.push(*end);
    if (!until)
      end->wait();
    else if (!end->wait_until(*until))
      return false;
  }
  return true;
}

void thread_crew::end() {
  GROVE_CHECK(!is_own_thread(), "a thread pool is destroyed by one of its own threads");
  close();
  for (const auto& at : threads_)
    at->thread.join();
  threads_.clear();
  until_left_.wake_all();
}

}  // namespace grove::io::detail
