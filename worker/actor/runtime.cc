// SPDX-License-Identifier: Apache-2.0
#include "worker/actor/runtime.h"

#include <string>
#include <utility>

#include "base/check.h"
#include "worker/actor/actor.h"
#include "worker/greenlet/errors.h"
#include "worker/hub/wait_bound.h"

namespace grove {
namespace {

// How much runs before the loop looks at sockets again, and of one actor before the next one has its go.
constexpr std::uint32_t turns_per_batch = 1024;
constexpr std::uint32_t turns_per_actor = 16;
constexpr std::chrono::milliseconds batch_for{5};
constexpr std::uint32_t turns_between_clock_readings = 16;

// While there are no stacks, calls whose time is over are answered this often.
constexpr std::chrono::milliseconds overdue_looked_for_every{100};

/// Whether the actor of `cell` is among those that wait for the call with this chain.
[[nodiscard]] bool chain_contains(std::string_view chain, const actor_cell& cell) {
  const std::string address = cell.address_text().append("\n");
  for (std::size_t at = chain.find(address); at != std::string_view::npos; at = chain.find(address, at + 1)) {
    if (at == 0 || chain[at - 1] == '\n') return true;
  }
  return false;
}

[[nodiscard]] std::string cycle_text(std::string_view chain, const actor_cell& cell) {
  std::string text{"call cycle: "};
  for (const char c : chain) {
    if (c == '\n') {
      text.append(" -> ");
    } else {
      text.push_back(c);
    }
  }
  return text.append(cell.address_text()).append("; a method with interleave may be called while its actor waits");
}

/// While it exists, waits last until `deadline` at most.
class time_of_turn {
 public:
  time_of_turn(wait_bound& within, steady_time deadline) noexcept : within_{within} { within.move_to(deadline); }
  time_of_turn(const time_of_turn&) = delete;
  time_of_turn& operator=(const time_of_turn&) = delete;
  ~time_of_turn() {
    within_.drop_inner();  // A turn that keeps limits of its own fails, and the next one must not have them.
    within_.cancel();
  }

 private:
  wait_bound& within_;
};

}  // namespace

runtime::runtime(hub& on, const actor_types& types, state_store& store, flight_recorder& recorder,
                 const limits& its_limits)
    : hub_{on},
      types_{types},
      store_{store},
      recorder_{recorder},
      limits_{its_limits},
      calls_{*this},
      runners_{on, [this](const runners::place& in) { run_batch(in); },
               [] { return std::make_exception_ptr(turn_expired{}); }},
      scratch_{types} {
  hub_.attach(*this);
}

runtime::~runtime() {
  hub_.detach(*this);
  runners_.unwind();
  while (message_ptr call = arrivals_.pop())
    refuse(std::move(call), {status_code::unavailable, "the worker stops"});
  for (std::size_t i = 0; i < directory_.size(); ++i) {
    actor_cell& cell = directory_.at(i);
    while (cell.streams != nullptr) {
      const stream_ptr held{cell.streams};
      close_stream(*held.get(), status{status_code::unavailable, "the worker stops"});
    }
    while (message_ptr call = cell.mail.pop_if([](const message&) { return true; })) {
      refuse(std::move(call), {status_code::unavailable, "the worker stops"});
    }
  }
}

void runtime::refuse(message_ptr call, const status& why) {
  if (call->origin != nullptr) {
    call->origin->finish(*call,
                         {.code = why.code(), .result = outcome::not_executed, .text = why.message(), .payload = {}});
  } else if (!call->cancelled) {
    recorder_.tell_lost(*call, why);
  }
}

void runtime::submit(message_ptr call) {
  if (message_ptr here = send_if_elsewhere(std::move(call))) put_into_mailbox(std::move(here));
}

void runtime::submit_from_client(message_ptr call) {
  if (message_ptr here = send_if_elsewhere(std::move(call))) deliver(std::move(here));
}

message_ptr runtime::send_if_elsewhere(message_ptr call) {
  if (remote_ == nullptr || call->type->definition().placement == actor_placement::local) return call;
  const std::uint32_t owner = remote_->owner_of(call->hash);
  if (owner == remote_->own_slot()) return call;
  remote_->send(owner, std::move(call));
  return nullptr;
}

void runtime::deliver(message_ptr call) {
  arrivals_.push(std::move(call));
}

void runtime::deliver_arrivals() {
  const message* const first = arrivals_.first();
  if (first == nullptr) return;
  if (first->next != nullptr) {
    for (const message* call = first; call != nullptr; call = call->next)
      directory_.prefetch(call->hash);
  }
  while (message_ptr call = arrivals_.pop())
    put_into_mailbox(std::move(call));
}

void runtime::put_into_mailbox(message_ptr call) {
  actor_cell* cell = directory_.find(*call->type, call->hash, call->key());
  if (cell == nullptr) {
    try {
      cell = &directory_.insert(*this, *call->type, call->hash, call->key());
    } catch (const std::exception& e) {
      refuse(std::move(call), {status_code::internal, std::string{"the actor could not be made: "}.append(e.what())});
      return;
    }
    cell->last_used = sweeps_;
    recorder_.activated();
  }
  if (refuse_at_mailbox(*cell, call)) return;
  if (call->one_way && call->origin != nullptr) {
    call->origin->finish(*call, {.code = status_code::ok, .result = outcome::unknown, .text = {}, .payload = {}});
    call->origin = nullptr;
  }
  call->target = cell;
  cell->mail.push(std::move(call));
  enqueue(*cell);
}

bool runtime::refuse_at_mailbox(const actor_cell& cell, message_ptr& call) {
  if (call->chain_size != 0 && cell.exclusive && !call->type->methods()[call->method].interleave &&
      chain_contains(call->chain(), cell)) {
    const std::string text = cycle_text(call->chain(), cell);
    refuse(std::move(call), {status_code::failed_precondition, text});
    return true;
  }
  const mailbox& mail = cell.mail;
  if (mail.messages() < limits_.mailbox_messages_max &&
      (mail.messages() == 0 || mail.bytes() + mailbox::weight(*call) <= limits_.mailbox_bytes_max)) {
    return false;
  }
  recorder_.mailbox_was_full();
  const std::string text = "the mailbox of " + cell.address_text() + " is full (limits.mailbox-messages-max " +
                           std::to_string(limits_.mailbox_messages_max) + ", limits.mailbox-bytes-max " +
                           std::to_string(limits_.mailbox_bytes_max) + ")";
  refuse(std::move(call), {status_code::resource_exhausted, text});
  return true;
}

void runtime::cancel(message& call) {
  call.cancelled = true;
  if (call.remote_call != 0) {
    remote_->cancel(call);
    return;
  }
  turn* const running = call.running;
  if (running != nullptr) hub_.interrupt(running->running_in, std::make_exception_ptr(turn_cancelled{}), running);
  if (call.stream != nullptr) {
    break_stream(*call.stream, status{status_code::cancelled, "cancelled by the caller"});
  } else if (running == nullptr) {
    message_ptr queued = call.target == nullptr ? arrivals_.remove(call) : call.target->mail.remove(call);
    if (queued != nullptr) refuse(std::move(queued), {status_code::cancelled, "cancelled by the caller"});
  }
}

// --- The ready queue ---

void runtime::enqueue(actor_cell& cell) {
  if (cell.ready) return;
  cell.ready = true;
  cell.next_ready = nullptr;
  (ready_tail_ == nullptr ? ready_head_ : ready_tail_->next_ready) = &cell;
  ready_tail_ = &cell;
}

actor_cell* runtime::pop_ready() noexcept {
  actor_cell* const cell = ready_head_;
  if (cell == nullptr) return nullptr;
  ready_head_ = cell->next_ready;
  if (ready_head_ == nullptr) ready_tail_ = nullptr;
  cell->ready = false;
  return cell;
}

bool runtime::poll() {
  return run_ready();
}

bool runtime::run_ready() {
  deliver_arrivals();
  bool ran = false;
  turns_left_ = turns_per_batch;
  batch_end_ = {};
  while (ready_head_ != nullptr && turns_left_ > 0) {
    if (!runners_.resume_one()) {
      // Every stack is held by a turn that waits: the ready actors wait for one of those to end.
      if (!overdue_.armed()) overdue_.arm_after(hub_, overdue_looked_for_every);
      break;
    }
    ran = true;
  }
  return ran;
}

void runtime::run_batch(const runners::place& in) {
  while (turns_left_ > 0) {
    actor_cell* const cell = pop_ready();
    if (cell == nullptr) break;
    run_cell(*cell, in);
  }
  recorder_.nothing_runs();
}

void runtime::refuse_ready_overdue() {
  for (actor_cell* cell = ready_head_; cell != nullptr; cell = cell->next_ready) {
    while (message_ptr call = cell->mail.pop_if([this](const message& m) { return is_overdue(m); }))
      refuse_as_overdue(std::move(call));
  }
}

// --- Turns ---

bool runtime::may_start(const actor_cell& cell, const message& m) const noexcept {
  if (cell.life == actor_cell::phase::activating || cell.life == actor_cell::phase::passivating) return false;
  return !cell.exclusive || m.type->methods()[m.method].interleave;
}

void runtime::run_cell(actor_cell& cell, const runners::place& in) {
  const auto startable = [this, &cell](const message& m) { return may_start(cell, m); };
  for (std::uint32_t n = 0; n < turns_per_actor; ++n) {
    if (cell.mail.has_control()) {
      const bool gone = take_controls(cell);
      if (in.within.drop_inner()) {
        hub_.report("a hook of an actor",
                    std::make_exception_ptr(failed_precondition{"a time-out that it has made is kept beyond its end"}));
      }
      if (gone) return;
    }
    message_ptr call = cell.mail.pop_if(startable);
    if (call == nullptr) return;  // Empty, or a turn that others must wait for is under way and will look again.
    count_turn();
    // Should this turn wait, another runner goes on with what may overlap with it.
    if (cell.type->interleaves() && cell.mail.has_messages()) enqueue(cell);
    run_turn(cell, std::move(call), in);
  }
  if (!cell.mail.empty()) enqueue(cell);
}

void runtime::count_turn() {
  if (turns_left_ == 0) return;
  --turns_left_;
  if (turns_left_ % turns_between_clock_readings != 0) return;
  // Turns that compute for long end the batch early: sockets and timers wait no longer than for one of them.
  const steady_time now = hub_.now();
  if (batch_end_ == steady_time{}) {
    batch_end_ = time_after(now, batch_for);
  } else if (now >= batch_end_) {
    turns_left_ = 0;
  }
}

void runtime::refuse_as_overdue(message_ptr call) {
  recorder_.deadline_expired();
  refuse(std::move(call), {status_code::deadline_exceeded, "the call's time was over before its turn began"});
}

void runtime::run_turn(actor_cell& cell, message_ptr call, const runners::place& in) {
  if (is_overdue(*call)) {
    refuse_as_overdue(std::move(call));
    return;
  }
  greenlet& fiber = in.fiber;
  turn t{*this, cell, std::move(call), fiber};
  message& m = *t.call;
  const bool interleave = cell.type->methods()[m.method].interleave;
  t.within = &in.within;
  m.running = &t;
  bind_turn(fiber, &t);
  if (!interleave) cell.exclusive = true;
  ++cell.turns_running;
  ++turns_running_;
  recorder_.turn_begins(cell, m);
  invoke(t, in.within);
  --turns_running_;
  --cell.turns_running;
  if (!interleave) cell.exclusive = false;
  bind_turn(fiber, nullptr);
  cell.last_used = sweeps_;
  if (hub_.interrupt_pending(fiber)) hub_.cancel_interrupt(fiber, &t);
}

void runtime::invoke(turn& t, wait_bound& within) {
  message& m = *t.call;
  const actor_method& method = t.cell.type->methods()[m.method];
  try {
    const time_of_turn bounded{within, m.deadline};
    if (t.cell.life == actor_cell::phase::fresh) activate(t.cell);
    method.invoke(*t.cell.object, t);
    GROVE_CHECK(t.ended, "a handler's wrapper returned without ending its turn");
    recorder_.turn_ended(false);
  } catch (const status_error& e) {
    abort_turn(t, e.code(), outcome::executed, e.what());
  } catch (const stack_low& e) {
    abort_turn(t, status_code::resource_exhausted, outcome::executed, std::string{"stack_low: "}.append(e.what()));
  } catch (const std::exception& e) {
    abort_turn(t, status_code::internal, outcome::executed,
               std::string{t.entered ? "the handler threw: " : "the handler could not be entered: "}.append(e.what()));
  } catch (const turn_cancelled&) {
    abort_turn(t, status_code::cancelled, outcome::unknown, "cancelled by the caller while it ran");
  } catch (const turn_expired&) {
    recorder_.turn_expired();
    abort_turn(t, status_code::deadline_exceeded, outcome::unknown, "the call's time was over while it ran");
  } catch (const greenlet_exit&) {
    abort_turn(t, status_code::unavailable, outcome::unknown, "the worker stopped while it ran");
    throw;
  } catch (...) {
    abort_turn(t, status_code::internal, outcome::executed, "something was thrown that is no std::exception");
  }
}

}  // namespace grove
