// SPDX-License-Identifier: Apache-2.0
#include "worker/hub/task.h"

#include <cstdio>

#include "base/check.h"

namespace grove {

namespace {
bool is_exit(const std::exception_ptr& thrown) noexcept {
  try {
    std::rethrow_exception(thrown);
  } catch (const greenlet_exit&) {
    return true;
  } catch (...) {
    return false;
  }
}
}  // namespace

task_base::task_base(hub& on, stack_class stack) : hub_(on), stack_(stack) {}

task_base::~task_base() {
  if (error_ == nullptr || observed_) return;
  if (hub* on = hub::current_or_null())
    on->report("a spawned greenlet", error_);
  else
    std::fputs("error in a spawned greenlet, found after its hub had gone\n", stderr);
}

void task_base::release() noexcept {
  if (--handles_ == 0) delete this;
}

void task_base::set_name(std::string_view name) noexcept {
  name_ = name;
  if (greenlet_) greenlet_->set_name(name);
}

void task_base::schedule(std::optional<steady_time> when) {
  if (when)
    hub_timer::arm(hub_, *when);
  else
    hub_.post(*this);
  acquire();  // the hub's handle, until the end has been announced
  next_ = hub_.tasks_;
  if (next_ != nullptr) next_->previous_ = this;
  hub_.tasks_ = this;
  ++hub_.live_tasks_;
}

void task_base::expired() {
  start();
}

void task_base::run() {
  if (state_ == state::finished)
    notify();
  else
    start();
}

void task_base::start() {
  if (!greenlet_) {
    greenlet_ =
        greenlet::make([this] { run_in_greenlet(); }, {.parent = &hub_.hub_greenlet(), .stack = stack_, .name = name_});
    greenlet_->slots().task = this;
  }
  starved_ = !greenlet_->try_reserve_stack();
  if (starved_) {
    hub_.starved_.push(*this);
    return;
  }
  state_ = state::running;
  greenlet_->resume();
}

void task_base::run_in_greenlet() {
  std::exception_ptr error;
  bool exited = false;
  try {
    body();
  } catch (const greenlet_exit&) {
    exited = true;
  } catch (...) {
    error = std::current_exception();
  }
  drop_body();
  finish(std::move(error), exited);
}

void task_base::finish(std::exception_ptr error, bool exited) noexcept {
  state_ = state::finished;
  error_ = std::move(error);
  exited_ = exited;
  if (error_ != nullptr && hub_.escalate(error_)) observed_ = true;
  (previous_ == nullptr ? hub_.tasks_ : previous_->next_) = next_;
  if (next_ != nullptr) next_->previous_ = previous_;
  --hub_.live_tasks_;
  // The rest must happen off the task's own stack. The hub's handle goes with it. Links are called before the greenlets
  // that join run, so that these find a group without the finished member.
  hub_.post(*this);
  joiners_.wake_all();
}

void task_base::notify() noexcept {
  greenlet_.reset();
  while (!links_.empty()) {
    linked next = std::move(links_.front());
    links_.erase(links_.begin());
    try {
      next.call(*this);
    } catch (...) {
      hub_.report("a link of a spawned greenlet", std::current_exception());
    }
  }
  release();
}

bool task_base::join(std::optional<steady_time> until) {
  if (ready()) return true;
  waiter end(hub_);
  joiners_.push(end);
  if (until) return end.wait_until(*until);
  end.wait();
  return true;
}

void task_base::cancel_start() noexcept {
  hub_timer::disarm();
  if (is_queued()) {
    if (starved_)
      hub_.starved_.remove(*this);
    else
      hub_.unpost(*this);
  }
  starved_ = false;
  drop_body();
}

bool task_base::kill(kill_mode mode, std::exception_ptr thrown, std::optional<steady_time> until) {
  if (ready()) return true;
  if (thrown == nullptr) thrown = std::make_exception_ptr(greenlet_exit());
  if (greenlet_ && greenlet_->is_current()) std::rethrow_exception(thrown);
  if (state_ == state::scheduled) {
    cancel_start();
    const bool exits = is_exit(thrown);
    finish(exits ? nullptr : std::move(thrown), exits);
    return true;
  }
  if (kill_ == nullptr) {
    kill_ = std::move(thrown);
    kill_deferred_ = !hub_.interrupt(*greenlet_, kill_, this);
  }
  return mode == kill_mode::wait ? join(until) : ready();
}

std::uint64_t task_base::link(link_function call) {
  observed_ = true;
  return watch(std::move(call));
}

std::uint64_t task_base::watch(link_function call) {
  links_.push_back({++links_ever_, std::move(call)});
  if (ready() && !is_queued()) {
    acquire();
    hub_.post(*this);
  }
  return links_ever_;
}

void task_base::unlink(std::uint64_t number) noexcept {
  std::erase_if(links_, [number](const linked& at) { return at.number == number; });
}

void task_base::throw_failure() const {
  observed_ = true;
  if (error_ != nullptr) std::rethrow_exception(error_);
  throw task_killed("the task was killed and has no value");
}

}  // namespace grove
