// SPDX-License-Identifier: Apache-2.0
#include "worker/io/serving.h"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <system_error>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/fatal.h"
#include "worker/greenlet/off_stack.h"
#include "worker/io/fd_wait.h"

namespace grove::io::detail {

namespace {

/// Errors of one arrival, which the next one need not have.
bool concerns_one_arrival(int error) noexcept {
  return error == EINTR || error == ECONNABORTED || error == EPROTO || error == ECONNREFUSED;
}

bool is_final(int error) noexcept {
  return error == EBADF || error == EINVAL || error == ENOTSOCK || error == EOPNOTSUPP;
}

}  // namespace

/// A handler with the slot that it has in the server.
struct serving::handler_body {
  std::shared_ptr<serving> of;
  std::list<task_ptr>::iterator place;
  unique_function<void()> call;

  handler_body(std::shared_ptr<serving> in, std::list<task_ptr>::iterator at, unique_function<void()> handler) noexcept
      : of(std::move(in)), place(at), call(std::move(handler)) {}
  handler_body(handler_body&&) noexcept = default;
  handler_body& operator=(handler_body&&) = delete;
  /// Also of a handler that was killed before it began.
  ~handler_body() {
    if (of == nullptr) return;
    call.reset();
    of->handlers_.erase(place);
    of->slots_.release();
    of->close_fd_when_unused();
    of->until_ended_.wake_all();
  }

  void operator()() {
    try {
      call();
    } catch (const greenlet_exit&) {
      throw;
    } catch (...) {
      of->hub_.report("a handler of " + of->options_.name, caught_error());
    }
  }
};

serving::serving(hub& on, unique_fd fd, serving_options options)
    : hub_(on),
      fd_(std::move(fd)),
      options_(std::move(options)),
      slots_(on, std::max<std::size_t>(options_.handlers_max, 1)) {}

serving::~serving() {
  GROVE_CHECK(handlers_.empty(), "a handler outlives its server");
}

void serving::start() {
  if (closed_ || taking_) return;
  taking_ = spawn_on(hub_, [self = shared_from_this()] { self->run(); });
}

void serving::serve() {
  struct closing {
    serving& of;
    ~closing() { of.close(); }
  } const guard{*this};
  start();
  while (!closed_) {
    const off_stack<waiter> until_closed(hub_);
    until_closed_.push(*until_closed);
    until_closed->wait();
  }
}

void serving::run() {
  struct slot {
    serving& of;
    ~slot() {
      if (std::exchange(of.slot_held_, false)) of.slots_.release();
    }
  } const guard{*this};
  steady_duration pause = serving_pause_min;
  std::size_t taken = 0;
  while (step(pause, taken)) {
  }
}

bool serving::step(steady_duration& pause, std::size_t& taken) {
  if (!slot_held_) {
    slots_.acquire();
    slot_held_ = true;
  }
  if (closed_) return false;
  const int error = take();
  const bool none_there = error == EAGAIN || error == EWOULDBLOCK;
  if (none_there && !wait_for_arrivals()) return false;
  if (error != 0 && !none_there && !concerns_one_arrival(error)) {
    report(error);
    if (is_final(error)) {
      close();
      return false;
    }
    sleep_for(pause);
    pause = std::min<steady_duration>(2 * pause, serving_pause_max);
    return true;
  }
  if (error == 0) pause = serving_pause_min;
  if (++taken >= options_.taken_at_once_max) {
    taken = 0;
    yield();
  }
  return true;
}

bool serving::wait_for_arrivals() {
  try {
    (void)wait_readable(fd_.get());
    return true;
  } catch (const std::system_error&) {
    if (!closed_) throw;
    return false;
  }
}

void serving::report(int error) {
  const std::system_error text(error, std::system_category(), options_.name);
  hub_.report(options_.name, std::make_exception_ptr(text));
}

void serving::launch(unique_function<void()> handler) {
  GROVE_CHECK(slot_held_, "a server launches more than one handler for an arrival");
  const auto place = handlers_.emplace(handlers_.end());
  // From here on the slot is the handler's.
  slot_held_ = false;
  *place = spawn_on(hub_, handler_body(shared_from_this(), place, std::move(handler)), std::nullopt, options_.stack);
}

void serving::close() noexcept {
  if (std::exchange(closed_, true)) return;
  closing();
  close_fd_when_unused();
  if (taking_ && !taking_->is_current()) taking_->kill(kill_mode::do_not_wait);
  until_closed_.wake_all();
}

void serving::close_fd_when_unused() noexcept {
  if (!closed_ || !fd_ || (options_.handlers_use_fd && !handlers_.empty())) return;
  cancel_waits(fd_.get());
  fd_.reset();
}

std::size_t serving::others() const noexcept {
  return static_cast<std::size_t>(std::count_if(handlers_.begin(), handlers_.end(),
                                                [](const task_ptr& handler) { return !handler->is_current(); }));
}

void serving::await_others(steady_time until) {
  while (others() > 0) {
    const off_stack<waiter> until_one_ended(hub_);
    until_ended_.push(*until_one_ended);
    if (!until_one_ended->wait_until(until)) return;
  }
}

void serving::kill_others() noexcept {
  // A handler that has not started ends, and leaves the list, in its kill; its captures may end others.
  const std::vector<task_ptr> all(handlers_.begin(), handlers_.end());
  for (const task_ptr& handler : all) {
    if (!handler->is_current() && !handler->exit_pending()) handler->kill(kill_mode::do_not_wait);
  }
}

bool serving::stop(time_span grace) {
  const std::shared_ptr<serving> held = shared_from_this();
  close();
  if (taking_) taking_->join();
  await_others(time_after(hub_.now(), grace));
  kill_others();
  await_others(time_after(hub_.now(), serving_kill_time));
  return others() == 0;
}

void serving::abandon() noexcept {
  close();
  kill_others();
}

}  // namespace grove::io::detail
