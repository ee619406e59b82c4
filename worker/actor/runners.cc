// SPDX-License-Identifier: Apache-2.0
#include "worker/actor/runners.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <span>
#include <thread>
#include <utility>

#include "base/fatal.h"
#include "worker/greenlet/errors.h"

namespace grove {

runners::runners(hub& on, std::function<void(const place& in)> work, std::exception_ptr (*expired)())
    : hub_{on}, work_{std::move(work)}, expired_{expired} {}

runners::~runners() {
  unwind();
}

void runners::run(runner& self) {
  deadline_bound within{hub_, std::nullopt, expired_};
  const place here{*self.fiber, within};
  while (!self.leaves) {
    try {
      work_(here);
    } catch (const greenlet_exit&) {
      throw;
    } catch (...) {
      hub_.report("a runner of turns", caught_error());
    }
    idle_.push_back(&self);
    starved_ = false;
    hub_.hub_greenlet().resume();
  }
}

bool runners::resume_one() {
  if (!idle_.empty()) {
    runner& next = *idle_.back();
    idle_.pop_back();
    next.fiber->resume();
    return true;
  }
  starved_ = thread_stacks().exhausted();
  if (starved_) return false;
  auto made = std::make_unique<runner>();
  made->fiber =
      greenlet::make([this, self = made.get()] { run(*self); }, {.parent = &hub_.hub_greenlet(), .name = "turns"});
  starved_ = !made->fiber->try_reserve_stack();
  if (starved_) return false;
  made->index = all_.size();
  all_.push_back(std::move(made));
  all_.back()->fiber->resume();
  return true;
}

void runners::let_go() {
  if (idle_.size() <= idle_kept_max) return;
  // The first are those that have been idle for the longest time.
  const std::size_t many = std::min(idle_.size() - idle_kept_max, let_go_max);
  for (runner* const r : std::span{idle_}.first(many)) {
    r->leaves = true;
    r->fiber->resume();
    std::swap(all_[r->index], all_.back());
    all_[r->index]->index = r->index;
    all_.pop_back();
  }
  idle_.erase(idle_.begin(), idle_.begin() + static_cast<std::ptrdiff_t>(many));
}

std::size_t runners::busy() const noexcept {
  const auto active = std::ranges::count_if(all_, [](const auto& r) { return r->fiber->active(); });
  return static_cast<std::size_t>(active) - idle_.size();
}

void runners::end_waits() {
  for (const auto& r : all_) {
    const greenlet_slots& slots = r->fiber->slots();
    if (slots.waiter != nullptr || slots.in_line) {
      hub_.interrupt(*r->fiber, std::make_exception_ptr(greenlet_exit{}));
    }
  }
  // By the machine's clock: the hub's may stand still.
  const steady_time end = time_after(std::chrono::steady_clock::now(), cleaning_up_max);
  hub_.run_ready();
  while (busy() > 0 && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
    hub_.run_ready();
  }
}

void runners::unwind() noexcept {
  try {
    if (busy() > 0) end_waits();
  } catch (...) {
    hub_.report("the end of the runners of turns", std::current_exception());
  }
  for (const auto& r : all_)
    r->fiber.reset();
  all_.clear();
  idle_.clear();
}

}  // namespace grove
