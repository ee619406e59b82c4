// SPDX-License-Identifier: Apache-2.0
#include "worker/actor/runners.h"

#include <optional>
#include <span>
#include <utility>

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
      hub_.report("a runner of turns", std::current_exception());
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
  const std::size_t many = idle_.size() - idle_kept_max;
  for (runner* const r : std::span{idle_}.first(many)) {
    r->leaves = true;
    r->fiber->resume();
    std::swap(all_[r->index], all_.back());
    all_[r->index]->index = r->index;
    all_.pop_back();
  }
  idle_.erase(idle_.begin(), idle_.begin() + static_cast<std::ptrdiff_t>(many));
}

void runners::unwind() noexcept {
  for (const auto& r : all_)
    r->fiber.reset();
}

}  // namespace grove
