// SPDX-License-Identifier: Apache-2.0

// The slow half of a switch: starting, finishing, exceptions, dead receivers, and the unwinding of dropped
// greenlets.
//
// - What is delivered travels in local variables until the last moment, since destructors that run on the way
// may switch.
// - A greenlet that has finished is cleaned up by whoever arrives next, off its stack. Until then it stays, because
// what is delivered and the tracer may drop its last handle.
// - A current greenlet without handles lives on until it switches away; who arrives next unwinds it.

#include <string>

#include "base/check.h"
#include "base/fatal.h"
#include "worker/greenlet/internal/flow_switching.h"
#include "worker/greenlet/internal/thread_state.h"

namespace grove::greenlets::detail {

namespace {
// How often a greenlet that is unwound may switch away.
constexpr int swallows_max = 16;

// AddressSanitizer may keep the frame of a result elsewhere, and takes it back with the stack.
#ifdef GROVE_ASAN
constexpr bool results_move = true;
#else
constexpr bool results_move = false;
#endif
}  // namespace

std::string text_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "something that is not a std::exception";
  }
}

void switching::check_owner(const greenlet& target) {
  if (target.owner_ == this_thread) return;
  throw greenlet_error(target.owner().exited.load(std::memory_order_acquire)
                           ? "the greenlet belongs to a thread that has exited"
                           : "the greenlet belongs to another thread");
}

greenlet_ptr switching::receiver(greenlet& origin, greenlet& target, delivery& what) {
  const bool traced = origin.owner().tracer != nullptr;
  greenlet* from = &origin;
  const auto trace = [&](greenlet& to) {
    if (!traced) return;
    what.steps.push_back({what.thrown == nullptr ? trace_event::switched : trace_event::thrown, from, &to});
    from = &to;
  };
  greenlet_ptr at(&target);
  for (;;) {
    if (at->unfinished() || (at->state_ == greenlet::state::fresh && what.thrown == nullptr)) {
      trace(*at);
      return at;
    }
    if (at->state_ == greenlet::state::fresh) {
      trace(*at);
      at->state_ = greenlet::state::finished;
      at->release_stack();
      at->run_.reset();
    }
    if (what.thrown != nullptr) {
      what.passed = exit_value(what.thrown);
      if (what.passed) what.thrown = nullptr;
    }
    at = at->parent_;
  }
}

void switching::start(greenlet& fresh) {
  GROVE_CHECK(fresh.state_ == greenlet::state::fresh, "a greenlet is started twice");
  if (!fresh.try_reserve_stack()) throw stacks_exhausted("all stacks of the thread's pool are in use");
  if (fresh.sliced()) {
    fresh.state_ = greenlet::state::away;
    return;
  }
  prepare(fresh.context_, fresh.stack_.base(), fresh.stack_.top(), &switching::run);
  fresh.state_ = greenlet::state::live;
}

switch_value switching::deliver(thread_state& thread, greenlet& target, delivery what) {
  return take_slowly<switch_value>([&](taker with) { deliver(thread, target, std::move(what), with); });
}

void switching::deliver(thread_state& thread, greenlet& target, delivery what, taker with) {
  greenlet& self = *thread.current;
  if (self.slice_ != nullptr) lending::bring_home(what.passed);  // its stack may be another's after the jump
  greenlet_ptr to = receiver(self, target, what);
  if (to.get() == &self) {
    tell_tracer(thread, what.steps);
    if (what.thrown != nullptr) std::rethrow_exception(std::move(what.thrown));
    return with.take(with.into, what.passed);
  }
  GROVE_CHECK(to->owner_ == &thread, "a switch leads to a greenlet of another thread");
  if (to->state_ == greenlet::state::fresh) start(*to);
  if (self.handles_.load(std::memory_order_acquire) == 0) {
    GROVE_CHECK(thread.orphan == nullptr, "two greenlets without handles have switched away, and none was unwound");
    thread.orphan = &self;
    thread.attention |= attention_orphan;
  }
  post(thread, std::move(what));
  greenlet& next = *to;
  thread.current = &next;
  to.reset();
  exchange(self.context_, thread.sliced.way_to(next), *thread.exceptions);
  arrived(thread, with);
}

void switching::post(thread_state& thread, delivery what) noexcept {
  GROVE_CHECK(thread.inbox.empty() && thread.thrown == nullptr, "what a switch passed has not been taken");
  if (what.thrown != nullptr) thread.attention |= attention_thrown;
  if (what.passed) thread.attention |= attention_value;
  thread.thrown = std::move(what.thrown);
  thread.inbox = std::move(what.passed);
  thread.steps = std::move(what.steps);
}

void switching::arrived(thread_state& thread, taker with) {
  while (thread.attention & attention_inspect)
    answer_inspection(thread);
  delivery what{std::move(thread.inbox), std::exchange(thread.thrown, nullptr), std::exchange(thread.steps, {})};
  greenlet* finished = std::exchange(thread.finished, nullptr);
  greenlet_ptr orphan(std::exchange(thread.orphan, nullptr));
  thread.attention = thread.current->handles_.load(std::memory_order_acquire) == 0 ? attention_orphan : 0U;
  if (thread.sliced.watches(*thread.current)) thread.attention |= attention_sliced;
  if (thread.tracer != nullptr) thread.attention |= attention_traced;
  // First of all: what was passed may lie on a stack that goes now.
  if (what.thrown == nullptr) {
    try {
      with.take(with.into, what.passed);
    } catch (...) {
      what.thrown = caught_error();
    }
  }
  if (!what.steps.empty()) {
    try {
      tell_tracer(thread, what.steps);
    } catch (...) {
      what.thrown = caught_error();
    }
  }
  if (finished != nullptr) bury(*finished);
  if (thread.listed != nullptr) flow_switching::settle(thread);
  orphan.reset();
  if (what.thrown != nullptr) std::rethrow_exception(std::move(what.thrown));
}

void switching::run(void* left) {
  // Not enter_thread(), which may unwind what other threads have dropped: the arrival comes first.
  auto& thread = static_cast<thread_state&>(*this_thread);
  greenlet& self = *thread.current;
  arrive(self.context_, left);
  delivery result;
  try {
    body_frame frame(thread);
    self.run_(frame);
  } catch (const greenlet_exit& caught) {
    result.passed = exit_value(caught);
  } catch (...) {
    result.thrown = caught_error();
  }
  end(thread, std::move(result));
}

void switching::end(thread_state& thread, delivery result) noexcept {
  greenlet& self = *thread.current;
  GROVE_CHECK(self.context_.flow == nullptr, "a greenlet ends in the body of a continulet");
  if (self.slice_ != nullptr || results_move) {
    try {
      lending::bring_home(result.passed);
    } catch (...) {
      result = {{}, caught_error()};
    }
  }
  self.run_.reset();
  self.slots_.locals.reset();
  GROVE_CHECK(self.slots_.first_flow.bounds == nullptr, "a time limit on waits outlives its greenlet");
  finish(thread, self, std::move(result));
}

void switching::finish(thread_state& thread, greenlet& self, delivery what) noexcept {
  // It has not finished yet: what unstarted parents hold may switch as it goes, and comes back here.
  greenlet_ptr to = receiver(self, *self.parent_, what);
  while (to->state_ == greenlet::state::fresh) {
    try {
      start(*to);
    } catch (...) {
      what.passed.reset();
      what.thrown = caught_error();
      to = receiver(self, *to, what);
    }
  }
  self.state_ = greenlet::state::finished;
  post(thread, std::move(what));
  GROVE_CHECK(thread.finished == nullptr, "two greenlets have ended, and nobody has taken their stacks");
  thread.finished = &self;
  thread.attention |= attention_finished;
  greenlet& next = *to;
  thread.current = &next;
  to.reset();
  leave_for_ever(self.context_, thread.sliced.way_to(next), *thread.exceptions);
}

void switching::bury(greenlet& finished) noexcept {
  GROVE_CHECK(finished.state_ == greenlet::state::finished, "the stack of a greenlet is taken that has not ended");
  finished.release_stack();
  finished.context_.fiber.forget();
  if (finished.handles_.load(std::memory_order_acquire) == 0) dispose(finished.owner(), finished);
}

void switching::dropped_elsewhere(greenlet& target) noexcept {
  std::uint32_t handles = target.handles_.load(std::memory_order_relaxed);
  while (handles != 1) {
    if (target.handles_.compare_exchange_weak(handles, handles - 1, std::memory_order_acq_rel)) return;
  }
  // The last one is not dropped here but handed to the owner, who may be running the greenlet, or its end.
  thread_state& owner = target.owner();
  {
    const std::lock_guard lock(owner.mutex);
    if (!owner.exited.load(std::memory_order_relaxed)) {
      target.next_dropped_ = std::exchange(owner.foreign_drops, &target);
      owner.has_foreign_drops.store(true, std::memory_order_relaxed);
      return;
    }
  }
  release(target);
}

void switching::take_dropped(greenlet* list) noexcept {
  while (list != nullptr) {
    greenlet& taken = *std::exchange(list, list->next_dropped_);
    if (taken.handles_.fetch_sub(1, std::memory_order_acq_rel) == 1) dropped(taken);
  }
}

void switching::dropped(greenlet& target) noexcept {
  if (may_go(target)) dispose(target.owner(), target);
}

bool switching::may_go(greenlet& dropped) noexcept {
  thread_state& owner = dropped.owner();
  if (owner.current == &dropped) {
    owner.attention |= attention_orphan;
    return false;
  }
  // One that has finished and has a stack is not buried yet.
  return dropped.state_ != greenlet::state::finished || !dropped.own_stack();
}

void switching::release(greenlet& dropped) noexcept {
  for (greenlet* at = &dropped; at != nullptr;) {
    {
      const std::lock_guard lock(at->owner().mutex);
      at->release_stack();
    }
    greenlet* parent = std::exchange(at->parent_.target_, nullptr);
    greenlet::destroy(*at);
    at = parent != nullptr && parent->handles_.fetch_sub(1, std::memory_order_acq_rel) == 1 ? parent : nullptr;
  }
}

void switching::dispose(thread_state& thread, greenlet& dropped) noexcept {
  // The chain of parents goes iteratively: it may be as long as there is memory.
  for (greenlet* at = &dropped; at != nullptr;) {
    if (at->unfinished() && !unwind(thread, *at)) return;
    GROVE_CHECK(at->handles_.load(std::memory_order_acquire) == 0, "a greenlet is destroyed that somebody refers to");
    greenlet* parent = std::exchange(at->parent_.target_, nullptr);
    greenlet::destroy(*at);
    at = nullptr;
    if (parent == nullptr || parent->handles_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    if (may_go(*parent)) at = parent;
  }
}

bool switching::unwind(thread_state& thread, greenlet& dropped) noexcept {
  GROVE_CHECK(!dropped.unwinding_, "a greenlet is unwound twice at a time");
  greenlet_ptr guard(&dropped);
  greenlet_ptr parent = std::exchange(dropped.parent_, greenlet_ptr(thread.current));
  dropped.unwinding_ = true;
  const auto must_go = [&dropped] {
    return dropped.unfinished() && dropped.handles_.load(std::memory_order_acquire) == 1;
  };
  for (int rounds = 0; must_go(); ++rounds) {
    const bool in_destructor = flow_switching::in_destructor(dropped);
    if (rounds == 1) {
      thread.report_unraisable(dropped, in_destructor ? "switched away in a destructor while unwound"
                                                      : "swallowed greenlet_exit and switched away while unwound");
    }
    if (rounds == swallows_max) {
      thread.report_unraisable(dropped, in_destructor
                                            ? "switches away for ever in destructors that unwind it"
                                            : "swallows greenlet_exit for ever: a catch (...) must throw it on");
      GROVE_CHECK(rounds < swallows_max, "a greenlet cannot be unwound");
    }
    // Into a destructor nothing can be thrown: its switch returns, without a value, and what unwinds it goes on.
    unwind_once(thread, dropped, in_destructor ? nullptr : std::make_exception_ptr(greenlet_exit()));
  }
  dropped.unwinding_ = false;
  dropped.parent_ = std::move(parent);
  guard.target_ = nullptr;
  return dropped.handles_.fetch_sub(1, std::memory_order_acq_rel) == 1;
}

void switching::unwind_once(thread_state& thread, greenlet& dropped, std::exception_ptr thrown) noexcept {
  const bool exits = thrown != nullptr;
  try {
    const switch_value result = deliver(thread, dropped, {{}, std::move(thrown)});
    if (exits && dropped.state_ == greenlet::state::finished && !result.is<greenlet_exit>())
      thread.report_unraisable(dropped, "swallowed greenlet_exit while unwound: a catch (...) must throw it on");
  } catch (...) {
    thread.report_unraisable(dropped, "threw while it was unwound: " + text_of(caught_error()));
  }
}

}  // namespace grove::greenlets::detail
