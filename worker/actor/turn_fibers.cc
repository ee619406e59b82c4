// SPDX-License-Identifier: Apache-2.0
#include "worker/actor/turn_fibers.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <span>
#include <thread>
#include <utility>

#include "base/check.h"
#include "base/fatal.h"
#include "worker/greenlet/errors.h"

namespace grove {

turn_fibers::turn_fibers(hub& on, step work, std::exception_ptr (*expired)())
    : hub_{on}, work_{std::move(work)}, expired_{expired} {}

turn_fibers::~turn_fibers() {
  unwind();
}

void turn_fibers::run(fiber& self) {
  deadline_bound within{hub_, std::nullopt, expired_};
  place here{*self.self, within};
  while (!self.retiring) {
    work_once(self, here);
    GROVE_CHECK(idle_.size() < idle_.capacity(), "a fiber becomes idle for which there is no room");
    GROVE_DEBUG_CHECK(self.now == nullptr && self.lent_by == nullptr, "a fiber becomes idle and has been told to work");
    idle_.push_back(&self);
    starved_ = false;
    lender* const back = std::exchange(here.lent_by, nullptr);
    (back != nullptr ? back->fiber() : hub_.hub_greenlet()).resume();
  }
}

void turn_fibers::work_once(fiber& self, place& here) {
  here.lent_by = std::exchange(self.lent_by, nullptr);
  try {
    if (self.now != nullptr) {
      std::exchange(self.now, nullptr)(self.argument, here);
    } else {
      work_(here);
    }
  } catch (const greenlet_exit&) {
    here.give_back();  // This fiber ends, and goes to the hub.
    throw;
  } catch (...) {
    hub_.report("a fiber of turns", caught_error());
  }
}

turn_fibers::fiber* turn_fibers::take_idle() {
  if (!idle_.empty()) {
    fiber* const next = idle_.back();
    idle_.pop_back();
    return next;
  }
  starved_ = thread_stacks().exhausted();
  if (starved_) return nullptr;
  auto made = std::make_unique<fiber>();
  made->self =
      greenlet::make([this, self = made.get()] { run(*self); }, {.parent = &hub_.hub_greenlet(), .name = "turns"});
  starved_ = !made->self->try_reserve_stack();
  if (starved_) return nullptr;
  made->index = all_.size();
  idle_.reserve(all_.size() + 1);  // Becoming idle throws nothing.
  all_.push_back(std::move(made));
  return all_.back().get();
}

bool turn_fibers::resume_one() {
  GROVE_DEBUG_CHECK(hub_.in_hub(), "a fiber is resumed by another greenlet than the hub's");
  fiber* const next = take_idle();
  if (next == nullptr) return false;
  next->self->resume();
  return true;
}

void turn_fibers::shrink() {
  if (idle_.size() <= idle_kept_max) return;
  // The first are those that have been idle for the longest time.
  const std::size_t many = std::min(idle_.size() - idle_kept_max, ended_at_once_max);
  for (fiber* const f : std::span{idle_}.first(many)) {
    f->retiring = true;
    f->self->resume();
    GROVE_CHECK(!f->self->active(), "a fiber retires and goes on");
    std::swap(all_[f->index], all_.back());
    all_[f->index]->index = f->index;
    all_.pop_back();
  }
  idle_.erase(idle_.begin(), idle_.begin() + static_cast<std::ptrdiff_t>(many));
}

std::size_t turn_fibers::busy() const noexcept {
  const auto active = std::ranges::count_if(all_, [](const auto& f) { return f->self->active(); });
  return static_cast<std::size_t>(active) - idle_.size();
}

void turn_fibers::end_waits() {
  for (const auto& f : all_) {
    const greenlet_slots& slots = f->self->slots();
    if (slots.waiter != nullptr || slots.in_line) {
      hub_.interrupt(*f->self, std::make_exception_ptr(greenlet_exit{}));
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

void turn_fibers::unwind() noexcept {
  try {
    if (busy() > 0) end_waits();
  } catch (...) {
    hub_.report("the end of the fibers of turns", std::current_exception());
  }
  for (const auto& f : all_)
    f->self.reset();
  all_.clear();
  idle_.clear();
}

}  // namespace grove
