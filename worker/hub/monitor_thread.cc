// SPDX-License-Identifier: Apache-2.0
#include "worker/hub/monitor_thread.h"

#include <signal.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "base/fatal.h"

namespace grove {

namespace {
constexpr std::chrono::hours idle_wait{1};
}

monitor_thread::monitor_thread(const clock& time, error_handler errors) : time_(time), errors_(std::move(errors)) {}

std::uint64_t monitor_thread::add(function call, time_span period) {
  if (period.length() <= steady_duration::zero())
    throw std::invalid_argument("the period of a monitor's function must be above zero");
  const std::lock_guard lock(mutex_);
  entries_.push_back(
      std::make_shared<entry>(entry{++added_ever_, period, time_after(time_.now(), period), std::move(call)}));
  {
    const std::lock_guard wait_lock(wait_mutex_);
    has_changed_ = true;
  }
  changed_.notify_one();
  return added_ever_;
}

void monitor_thread::remove(std::uint64_t number) noexcept {
  const std::lock_guard lock(mutex_);
  std::erase_if(entries_, [number](const std::shared_ptr<entry>& at) {
    if (at->number == number) at->removed = true;
    return at->removed;
  });
}

void monitor_thread::clear() noexcept {
  const std::lock_guard lock(mutex_);
  for (const std::shared_ptr<entry>& at : entries_)
    at->removed = true;
  entries_.clear();
}

std::size_t monitor_thread::functions() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

steady_time monitor_thread::step() {
  const std::lock_guard lock(mutex_);
  const steady_time now = time_.now();
  const std::vector<std::shared_ptr<entry>> all = entries_;  // functions change entries_
  for (const std::shared_ptr<entry>& at : all) {
    if (at->removed || at->due > now) continue;
    at->due = time_after(now, at->period);
    try {
      at->call();
    } catch (...) {
      errors_(caught_error());
    }
  }
  steady_time next = time_after(now, idle_wait);
  for (const std::shared_ptr<entry>& at : entries_)
    next = std::min(next, at->due);
  return next;
}

void monitor_thread::start() {
  if (running()) return;
  stopping_ = false;
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    thread_ = std::thread([this] { run(); });
  } catch (...) {
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void monitor_thread::run() {
  for (;;) {
    const steady_time next = step();
    std::unique_lock lock(wait_mutex_);
    changed_.wait_until(lock, next, [this] { return stopping_ || has_changed_; });
    has_changed_ = false;
    if (stopping_) return;
  }
}

void monitor_thread::stop() noexcept {
  if (!running()) return;
  {
    const std::lock_guard lock(wait_mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

}  // namespace grove
