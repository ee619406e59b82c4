// SPDX-License-Identifier: Apache-2.0
#include "worker/greenlet/internal/flow_switching.h"

#include <string>

#include "base/check.h"
#include "base/fatal.h"
#include "worker/greenlet/flow_cursor.h"

namespace grove {

flow_slots& greenlet::slots_of_continulet() noexcept {
  return context_.flow->slots_;
}

flow_slots& flow_cursor::slots_of_continulet() const noexcept {
  return flow_->slots_;
}

void flow_cursor::leave_continulet() noexcept {
  exceptions_ = &flow_->slot_.exceptions;
  flow_ = flow_->slot_.flow;
}

}  // namespace grove

namespace grove::greenlets::detail {

namespace {
// How often a body that is unwound may switch away.
constexpr int swallows_max = 16;
}  // namespace

void flow_switching::check_usable(const thread_state& thread, const continulet& target) {
  if (target.owner_ != &thread) {
    const bool exited = static_cast<const thread_state*>(target.owner_)->exited.load(std::memory_order_acquire);
    throw continulet_error(exited ? "the continulet belongs to a thread that has exited"
                                  : "the continulet belongs to another thread");
  }
  if (!target.is_pending()) throw continulet_error("the continulet has already finished");
  if (target.in_use_by_ != nullptr && target.in_use_by_ != thread.current)
    throw continulet_error("the continulet is in use by greenlet '" + std::string(target.in_use_by_->name()) + "'");
}

bool flow_switching::try_reserve_stack(thread_state& thread, continulet& unstarted) {
  if (unstarted.stack_) return true;
  std::optional<stack> taken = thread.stacks.try_take(unstarted.stack_kind_);
  if (taken) unstarted.stack_ = std::move(*taken);
  return taken.has_value();
}

switch_value flow_switching::deliver(continulet& at, continulet* to, delivery what) {
  using state = continulet::state;
  thread_state& thread = enter_thread();
  if (to != nullptr && to->state_ == state::empty) to = nullptr;
  if (at.state_ == state::empty && to != nullptr) return deliver(*to, nullptr, std::move(what));
  if (at.state_ != state::empty) check_usable(thread, at);
  if (at.state_ == state::empty || to == &at) {
    if (what.thrown != nullptr) std::rethrow_exception(std::move(what.thrown));
    return std::move(what.passed);
  }
  if (to != nullptr) check_usable(thread, *to);
  continulet* next = (to == nullptr ? at : *to).slot_.flow;
  const bool begins = next != nullptr && next->state_ == state::unstarted && what.thrown == nullptr && !what.passed;
  if (begins && !try_reserve_stack(thread, *next)) throw stacks_exhausted("all stacks of the thread's pool are in use");
  return exchange_flows(thread, at, to, std::move(what));
}

switch_value flow_switching::exchange_flows(thread_state& thread, continulet& at, continulet* to, delivery what) {
  execution_context& running = thread.current->context_;
  execution_context mine;
  mine.fiber = running.fiber;
  mine.flow = running.flow;
  leave_ring(thread);
  running = std::exchange((to == nullptr ? at : *to).slot_, at.slot_);
  at.slot_ = mine;
  join_ring(thread);
  make_runnable(thread, what);
  const bool stays = running.flow == mine.flow;
  switching::post(thread, std::move(what));
  if (!stays) {
    const auto from = leave(at.slot_, running, *thread.exceptions);
    // Another greenlet may be current now, and the slot may hold something else.
    arrive(thread.current->context_, from);
  }
  return take_slowly<switch_value>([&](taker with) { switching::arrived(thread, with); });
}

void flow_switching::leave_ring(thread_state& thread) noexcept {
  for (continulet* at = thread.current->context_.flow; at != nullptr; at = at->slot_.flow) {
    at->in_use_by_ = nullptr;
    // It may be free in a moment, with nobody to unwind it.
    at->is_orphan_ = at->handles_.load(std::memory_order_acquire) == 0;
    if (at->is_orphan_) list(thread, *at);
  }
}

void flow_switching::join_ring(const thread_state& thread) noexcept {
  for (continulet* at = thread.current->context_.flow; at != nullptr; at = at->slot_.flow) {
    GROVE_DEBUG_CHECK(at->in_use_by_ == nullptr, "a continulet is in use by two greenlets");
    at->in_use_by_ = thread.current;
  }
}

void flow_switching::make_runnable(thread_state& thread, delivery& what) noexcept {
  execution_context& running = thread.current->context_;
  while (running.flow != nullptr && running.flow->state_ == continulet::state::unstarted) {
    continulet& next = *running.flow;
    if (what.thrown == nullptr && what.passed)
      what = {{}, std::make_exception_ptr(continulet_error("a value is passed to a continulet that has not started"))};
    if (what.thrown == nullptr && !try_reserve_stack(thread, next))
      what = {{}, std::make_exception_ptr(stacks_exhausted("all stacks of the thread's pool are in use"))};
    if (what.thrown == nullptr) {
      prepare(running, next.stack_.base(), next.stack_.top(), &flow_switching::run);
      next.state_ = continulet::state::started;
      return;
    }
    next.state_ = continulet::state::finished;
    next.in_use_by_ = nullptr;
    running = std::exchange(next.slot_, {});
    list(thread, next);
  }
}

void flow_switching::run(void* left) {
  auto& thread = static_cast<thread_state&>(*this_thread);
  arrive(thread.current->context_, left);
  continulet& self = *thread.current->context_.flow;
  delivery result;
  try {
    take_slowly<void>([&thread](taker with) { switching::arrived(thread, with); });
    result.passed = self.body_(self);
  } catch (...) {
    result.thrown = caught_error();
  }
  self.body_.reset();
  GROVE_CHECK(self.slots_.bounds == nullptr, "a time limit on waits outlives the continulet in which it was made");
  finish(thread, std::move(result));
}

void flow_switching::finish(thread_state& thread, delivery what) noexcept {
  execution_context& running = thread.current->context_;
  continulet& self = *running.flow;
  GROVE_CHECK(self.state_ == continulet::state::started, "a continulet ends that has not started, or twice");
  self.state_ = continulet::state::finished;
  self.in_use_by_ = nullptr;
  std::swap(running, self.slot_);
  list(thread, self);
  make_runnable(thread, what);
  switching::post(thread, std::move(what));
  leave_for_ever(self.slot_, running, *thread.exceptions);
}

void flow_switching::permute(thread_state& thread, std::span<continulet* const> continulets) {
  for (const continulet* each : continulets) {
    if (each->state_ != continulet::state::empty) check_usable(thread, *each);
  }
  leave_ring(thread);
  // By swaps of two, so that nothing is lost if one is named twice.
  continulet* after = nullptr;
  for (std::size_t i = continulets.size(); i-- > 0;) {
    continulet* const each = continulets[i];
    if (each->state_ == continulet::state::empty) continue;
    if (after != nullptr) std::swap(each->slot_, after->slot_);
    after = each;
  }
  join_ring(thread);
  settle(thread);
}

execution_context& flow_switching::first_flow(greenlet& of) noexcept {
  execution_context* at = &of.context_;
  while (at->flow != nullptr)
    at = &at->flow->slot_;
  return *at;
}

bool flow_switching::in_destructor(const greenlet& suspended) noexcept {
  const execution_context* at = &suspended.context_;
  while (at->exceptions.uncaught == 0 && at->flow != nullptr)
    at = &at->flow->slot_;
  return at->exceptions.uncaught > 0;
}

void flow_switching::inspect(thread_state& thread, greenlet& of, inspection& found) noexcept {
  if (switching::can_inspect(of)) switching::inspect(thread, of, found);
  for (continulet* inside = of.context_.flow; inside != nullptr && found.count < found.frames.size();) {
    // Whoever is resumed in a greenlet finds itself in its context.
    execution_context& outer = inside->slot_;
    inside = outer.flow;
    std::swap(of.context_, outer);
    if (switching::can_inspect(of)) switching::inspect(thread, of, found);
    std::swap(of.context_, outer);
  }
}

void flow_switching::list(thread_state& thread, continulet& target) noexcept {
  if (target.is_listed_) return;
  target.is_listed_ = true;
  target.handles_.fetch_add(1, std::memory_order_relaxed);
  target.next_listed_ = std::exchange(thread.listed, &target);
  thread.attention |= attention_continulets;
}

void flow_switching::settle(thread_state& thread) noexcept {
  thread.attention &= ~attention_continulets;
  // One after another: what is settled may switch, and others settle the rest meanwhile.
  while (continulet* at = thread.listed) {
    thread.listed = std::exchange(at->next_listed_, nullptr);
    at->is_listed_ = false;
    if (at->state_ == continulet::state::finished) {
      at->stack_.release();
      at->slot_.fiber.forget();
      at->slot_ = {};
      at->body_.reset();
    }
    if (at->handles_.fetch_sub(1, std::memory_order_acq_rel) == 1) dropped(*at);
  }
}

void flow_switching::dropped(continulet& target) noexcept {
  if (target.is_pending()) {
    // It is looked at again when it is free.
    target.is_orphan_ = target.in_use_by_ != nullptr;
    if (target.is_orphan_) return;
    const bool has_run = target.state_ == continulet::state::started;
    if (has_run || target.slot_.flow != &target) return unwind(static_cast<thread_state&>(*target.owner_), target);
    target.state_ = continulet::state::finished;
  }
  delete &target;
}

void flow_switching::dropped_elsewhere(continulet& target) noexcept {
  std::uint32_t handles = target.handles_.load(std::memory_order_relaxed);
  while (handles != 1) {
    if (target.handles_.compare_exchange_weak(handles, handles - 1, std::memory_order_acq_rel)) return;
  }
  // The last one is not dropped here but handed to the owner.
  auto& owner = static_cast<thread_state&>(*target.owner_);
  {
    const std::lock_guard lock(owner.mutex);
    if (!owner.exited.load(std::memory_order_relaxed)) {
      target.next_dropped_ = std::exchange(owner.foreign_continulets, &target);
      owner.has_foreign_drops.store(true, std::memory_order_relaxed);
      return;
    }
    target.stack_.release();
  }
  delete &target;
}

void flow_switching::take_dropped(continulet* list) noexcept {
  while (list != nullptr) {
    continulet& taken = *std::exchange(list, list->next_dropped_);
    if (taken.handles_.fetch_sub(1, std::memory_order_acq_rel) == 1) dropped(taken);
  }
}

void flow_switching::unwind(thread_state& thread, continulet& dropped) noexcept {
  dropped.handles_.fetch_add(1, std::memory_order_relaxed);
  const auto must_go = [&dropped] {
    return dropped.is_pending() && dropped.in_use_by_ == nullptr &&
           dropped.handles_.load(std::memory_order_acquire) == 1;
  };
  for (int rounds = 0; must_go(); ++rounds) {
    const bool in_destructor = dropped.slot_.exceptions.uncaught > 0;
    if (rounds == 1) {
      thread.report_unraisable(*thread.current, in_destructor
                                                    ? "a dropped continulet switched away in a destructor"
                                                    : "a dropped continulet swallowed greenlet_exit and switched away");
    }
    GROVE_CHECK(rounds < swallows_max, "a continulet cannot be unwound: a catch (...) must throw greenlet_exit on");
    // As for a greenlet: into a destructor nothing can be thrown.
    unwind_once(thread, dropped, in_destructor ? nullptr : std::make_exception_ptr(greenlet_exit()));
  }
  if (dropped.handles_.fetch_sub(1, std::memory_order_acq_rel) == 1 && !dropped.is_pending()) delete &dropped;
}

void flow_switching::unwind_once(thread_state& thread, continulet& dropped, std::exception_ptr thrown) noexcept {
  const bool exits = thrown != nullptr;
  try {
    (void)exchange_flows(thread, dropped, nullptr, {{}, std::move(thrown)});
    if (exits && !dropped.is_pending())
      thread.report_unraisable(*thread.current,
                               "a dropped continulet swallowed greenlet_exit: a catch (...) must throw it on");
  } catch (const greenlet_exit&) {
    // As it should be.
  } catch (...) {
    thread.report_unraisable(*thread.current,
                             "a dropped continulet threw while it was unwound: " + text_of(caught_error()));
  }
}

}  // namespace grove::greenlets::detail
