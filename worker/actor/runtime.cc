// SPDX-License-Identifier: Apache-2.0
#include "worker/actor/runtime.h"

#include <algorithm>
#include <new>
#include <string>
#include <utility>

#include "base/check.h"
#include "worker/actor/actor.h"
#include "worker/actor/call_chain.h"
#include "worker/actor/turn_scope.h"
#include "worker/greenlet/errors.h"
#include "worker/hub/wait_bound.h"

namespace grove {
namespace {

// How much runs before the loop looks at sockets again, and of one actor before the next one has its go.
constexpr std::uint32_t turns_per_batch = 1024;
constexpr std::uint32_t turns_per_actor = 16;
constexpr std::chrono::milliseconds batch_for{5};
constexpr std::uint32_t turns_between_clock_readings = 16;

// So much of what came from outside goes into mailboxes before the turns that it asks for are run, and less where mailboxes
// are smaller: an actor that keeps up is not said to have a full mailbox because much for it came at once.
constexpr std::uint32_t arrivals_per_run = 64;
constexpr std::size_t arrived_bytes_per_run = 256 * 1024;

// While there are no stacks, calls whose time is over are answered this often.
constexpr std::chrono::milliseconds overdue_looked_for_every{100};

/// While it exists, waits last until `deadline` at most.
class turn_deadline {
 public:
  turn_deadline(wait_bound& within, steady_time deadline) noexcept : within_{within} { within.move_to(deadline); }
  turn_deadline(const turn_deadline&) = delete;
  turn_deadline& operator=(const turn_deadline&) = delete;
  ~turn_deadline() { within_.cancel(); }

 private:
  wait_bound& within_;
};

[[nodiscard]] bool is_settled(const actor_cell& cell) noexcept {
  return cell.life == actor_cell::phase::fresh || cell.life == actor_cell::phase::active;
}

}  // namespace

runtime::runtime(hub& on, const actor_types& types, state_store& store, flight_recorder& recorder,
                 const limits& its_limits)
    : hub_{on},
      types_{types},
      store_{store},
      recorder_{recorder},
      limits_{its_limits},
      calls_{*this},
      fibers_{on, [this](turn_fibers::place& in) { run_batch(in); },
              [] { return std::make_exception_ptr(turn_expired{}); }},
      durable_{store.durable()} {
  for (std::size_t i = 0; i < types.size(); ++i)
    hosted_.push_back(std::make_unique<hosted_type>(*this, *types.at(i)));
  store_.set_listener(this);
  hub_.attach(*this);
}

runtime::~runtime() {
  hub_.detach(*this);
  fibers_.unwind();
  stopping_ = true;
  store_.set_listener(nullptr);
  give_up_held();
  const auto refuse_all = [this](auto& from) {
    while (message_ptr call = from.pop_if([](const message&) { return true; }))
      refuse(std::move(call), {status_code::unavailable, "the worker stops"});
  };
  refuse_all(arrivals_);
  refuse_all(unsent_);
  for (std::size_t i = 0; i < directory_.size(); ++i) {
    actor_cell& cell = directory_.at(i);
    while (cell.streams != nullptr) {
      const stream_ptr held{cell.streams};
      close_stream(*held.get(), status{status_code::unavailable, "the worker stops"});
    }
    refuse_all(cell.mail);
  }
}

hosted_type* runtime::find_hosted(std::uint64_t type_id) const noexcept {
  for (const auto& hosted : hosted_) {
    if (hosted->type.id() == type_id) return hosted.get();
  }
  return nullptr;
}

void runtime::refuse(message_ptr call, const status& why) {
  if (call->origin != nullptr) {
    answer(*call, {.code = why.code(), .result = outcome::not_executed, .text = why.message(), .payload = {}});
  } else if (!call->cancelled) {
    recorder_.tell_lost(*call, why);
  }
}

void runtime::submit(message_ptr call) {
  check_submitted(*call);
  if (message_ptr here = send_if_elsewhere(std::move(call))) put_into_mailbox(std::move(here));
}

void runtime::submit_from_client(message_ptr call) {
  check_submitted(*call);
  if (message_ptr here = send_if_elsewhere(std::move(call))) arrivals_.push(std::move(here));
}

void runtime::check_submitted([[maybe_unused]] const message& call) const noexcept {
  GROVE_DEBUG_CHECK(hub_.is_on_thread(), "a message is sent from another thread than the hub's");
  GROVE_DEBUG_CHECK(call.type != nullptr && call.method < call.type->methods().size(),
                    "a message is sent that has no method");
  GROVE_DEBUG_CHECK(call.state == message_state::arrived, "a message is sent that is somewhere already");
}

message_ptr runtime::send_if_elsewhere(message_ptr call) {
  if (stopping_) [[unlikely]] {
    // An actor's destructor may send, too.
    refuse(std::move(call), {status_code::unavailable, "the worker stops"});
    return nullptr;
  }
  if (remote_ == nullptr || call->type->definition().placement == actor_placement::local) return call;
  const address_owner owner = placement_->of(call->hash);
  if (is_here(owner)) return call;
  call->epoch = owner.epoch();
  send_to(owner.worker(), std::move(call));
  return nullptr;
}

void runtime::deliver(message_ptr call) {
  check_submitted(*call);
  GROVE_CHECK(placement_ != nullptr, "other workers send nothing to one that is not connected with them");
  const address_owner owner = placement_->of(call->hash);
  if (!is_here(owner) || owner.epoch() != call->epoch) [[unlikely]] {
    refuse_as_misdirected(std::move(call), owner);
    return;
  }
  arrivals_.push(std::move(call));
}

/// Not passed on to the owner: what its sender has sent there since may have arrived, and messages of one sender to one
/// actor arrive in order. Whoever tries again goes by the present table.
void runtime::refuse_as_misdirected(message_ptr call, address_owner owner) {
  const std::string text = call->type->name() + "/" + std::string{call->key()} +
                           " moved while this was on its way: it is with worker " + std::to_string(owner.worker()) +
                           " in epoch " + std::to_string(owner.epoch()) + ", and this was sent to worker " +
                           std::to_string(own_slot_) + " in epoch " + std::to_string(call->epoch);
  refuse(std::move(call), {status_code::unavailable, text});
}

void runtime::deliver_some_arrivals() {
  const message* const first = arrivals_.first();
  if (first == nullptr) return;
  const std::uint32_t most = std::min(arrivals_per_run, limits_.mailbox_messages_max);
  if (first->next != nullptr) {
    std::uint32_t count = 0;
    for (const message* call = first; call != nullptr && count < most; call = call->next, ++count)
      directory_.prefetch(call->hash);
  }
  const std::size_t most_bytes = std::min<std::size_t>(arrived_bytes_per_run, limits_.mailbox_bytes_max / 2);
  std::size_t bytes = 0;
  for (std::uint32_t count = 0; count < most && !arrivals_.empty(); ++count) {
    bytes += mailbox::weight(*arrivals_.first());
    if (count > 0 && bytes > most_bytes) return;
    put_into_mailbox(arrivals_.pop());
  }
}

actor_cell* runtime::find_actor(message_ptr& call) {
  actor_cell* cell = directory_.find(*call->type, call->hash, call->key());
  if (cell == nullptr) {
    try {
      cell = &directory_.insert(*hosted_[call->type->index()], call->hash, call->key());
    } catch (const std::exception& e) {
      refuse(std::move(call), {status_code::internal, std::string{"the actor could not be made: "}.append(e.what())});
      return nullptr;
    }
    cell->last_used = sweeps_;
    recorder_.activated();
  }
  if (refuse_at_mailbox(*cell, call)) return nullptr;
  if (call->one_way && call->origin != nullptr) {
    call->origin->finish(*call, {.code = status_code::ok, .result = outcome::unknown, .text = {}, .payload = {}});
    call->origin = nullptr;
  }
  return cell;
}

void runtime::put_into_mailbox(message_ptr call) {
  if (actor_cell* const cell = find_actor(call)) queue(*cell, std::move(call));
}

void runtime::queue(actor_cell& cell, message_ptr call) {
  GROVE_DEBUG_CHECK(call->state == message_state::arrived, "a message is put into a mailbox that is somewhere else");
  GROVE_DEBUG_CHECK(call->type == &cell.type() && call->hash == cell.hash,
                    "a message is put into another actor's mailbox");
  const bool waits = cell.exclusive != nullptr || !is_settled(cell);
  const steady_time deadline = call->deadline;
  call->target = &cell;
  call->state = message_state::queued;
  cell.mail.push(std::move(call));
  enqueue(cell);
  if (waits) mind_mailbox(cell, deadline);
}

void runtime::send_call(message_ptr call, waiting_caller& waits, const turn* by) {
  if (by != nullptr && is_held_back(by->cell)) return route_from(by->cell, std::move(call));
  message_ptr here = send_if_elsewhere(std::move(call));
  if (here == nullptr) return;
  actor_cell* const cell = find_actor(here);
  if (cell == nullptr || run_in_place(*cell, here, waits)) return;
  queue(*cell, std::move(here));
}

bool runtime::run_in_place(actor_cell& cell, message_ptr& call, waiting_caller& waits) {
  // Of what others have sent first nothing is overtaken. And a batch ends at last: a turn that calls again and again keeps
  // neither the loop nor other actors waiting.
  if (turns_left_ == 0 || cell.ready || !cell.mail.empty() || !may_start(cell, *call)) return false;
  if (hub_.in_hub() || waits.fiber().unwinding()) return false;
  turn* const caller = current_turn();
  auto now = [this, &cell, &call](turn_fibers::place& in) {
    count_turn();
    run_turn(cell, std::move(call), in);
    if (!cell.mail.empty()) enqueue(cell);
    // Once it has waited, the fiber is one like any other.
    if (in.lent_by == nullptr) run_batch(in);
  };
  if (!fibers_.run_in_place(waits, now)) return false;
  if (caller != nullptr) caller->goes_on();
  return true;
}

void runtime::route_from(actor_cell& from, message_ptr sent) {
  if (!is_held_back(from)) return submit(std::move(sent));
  held_item& item = line_up(from);
  sent->state = message_state::withheld;
  item.call = std::move(sent);
}

bool runtime::has_room(const mailbox& mail, const message& call) const noexcept {
  return mail.messages() < limits_.mailbox_messages_max &&
         (mail.messages() == 0 || mail.bytes() + mailbox::weight(call) <= limits_.mailbox_bytes_max);
}

bool runtime::refuse_at_mailbox(actor_cell& cell, message_ptr& call) {
  if (call->chain_size != 0 && cell.exclusive != nullptr && !call->type->methods()[call->method].interleave &&
      chain_contains(call->chain(), cell)) {
    const std::string text = cycle_text(call->chain(), cell);
    refuse(std::move(call), {status_code::failed_precondition, text});
    return true;
  }
  if (has_room(cell.mail, *call)) return false;
  // Calls whose time is over keep nobody out.
  answer_overdue_in(cell);
  if (has_room(cell.mail, *call)) return false;
  recorder_.mailbox_was_full();
  const std::string text = "the mailbox of " + cell.address_text() + " is full (limits.mailbox-messages-max " +
                           std::to_string(limits_.mailbox_messages_max) + ", limits.mailbox-bytes-max " +
                           std::to_string(limits_.mailbox_bytes_max) + ")";
  refuse(std::move(call), {status_code::resource_exhausted, text});
  return true;
}

void runtime::cancel(message& call) {
  static constexpr std::string_view text = "cancelled by the caller";
  call.cancelled = true;
  switch (call.state) {
    case message_state::arrived:
    case message_state::queued: {
      message_ptr waiting =
          call.state == message_state::arrived ? arrivals_.remove(call) : call.target->mail.remove(call);
      if (waiting != nullptr) refuse(std::move(waiting), {status_code::cancelled, std::string{text}});
      return;
    }
    case message_state::unsent:
      if (message_ptr waiting = unsent_.remove(call))
        refuse(std::move(waiting), {status_code::cancelled, std::string{text}});
      return;
    case message_state::running:
      hub_.interrupt(call.running->in.fiber, std::make_exception_ptr(turn_cancelled{}), call.running);
      [[fallthrough]];
    case message_state::streaming:
      if (call.stream != nullptr) break_stream(*call.stream, status{status_code::cancelled, std::string{text}});
      return;
    case message_state::withheld:
      // It is in the line, and is dropped when its turn comes to leave.
      if (call.origin != nullptr) {
        answer(call, {.code = status_code::cancelled, .result = outcome::not_executed, .text = text, .payload = {}});
        call.origin = nullptr;
      }
      return;
    case message_state::remote:
      remote_->cancel(call);
      return;
    case message_state::committed:  // What it did cannot be taken back; its answer comes.
    case message_state::answered:
      return;
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
  GROVE_DEBUG_CHECK(cell->ready, "an actor is in the ready queue and does not know");
  ready_head_ = cell->next_ready;
  if (ready_head_ == nullptr) ready_tail_ = nullptr;
  cell->ready = false;
  return cell;
}

bool runtime::poll() {
  const bool sent = unsent_.size() != 0 && send_unsent();
  return run_ready() || sent;
}

bool runtime::run_ready() {
  GROVE_DEBUG_CHECK(hub_.in_hub(), "actors are run by another greenlet than the hub's");
  turns_left_ = turns_per_batch;
  batch_end_ = {};
  bool ran = false;
  do {
    deliver_some_arrivals();
    ran |= run_some_ready();
  } while (!arrivals_.empty() && ready_head_ == nullptr);
  // Turns or stacks are short: what is left waits in mailboxes, which have bounds.
  while (!arrivals_.empty())
    deliver_some_arrivals();
  return ran;
}

bool runtime::run_some_ready() {
  bool ran = false;
  while (ready_head_ != nullptr && turns_left_ > 0) {
    if (!fibers_.resume_one()) {
      // Every stack is held by a turn that waits: the ready actors wait for one of those to end.
      const steady_time soon = time_after(hub_.pass_time(), overdue_looked_for_every);
      if (!overdue_.armed() || *overdue_.expires_at() > soon) overdue_.arm(hub_, soon);
      break;
    }
    ran = true;
  }
  return ran;
}

void runtime::run_batch(turn_fibers::place& in) {
  while (turns_left_ > 0) {
    actor_cell* const cell = pop_ready();
    if (cell == nullptr) break;
    run_cell(*cell, in);
  }
  recorder_.nothing_runs();
}

// --- Calls whose time is over ---

void runtime::mind_mailbox(actor_cell& cell, steady_time earliest) noexcept {
  try {
    const auto [entry, added] = minded_.try_emplace(&cell, earliest);
    if (!added) entry->second = std::min(entry->second, earliest);
    if (!overdue_.armed() || *overdue_.expires_at() > earliest) overdue_.arm(hub_, earliest);
  } catch (const std::bad_alloc&) {
    // They are answered when the turn has ended.
  }
}

void runtime::answer_overdue_in(actor_cell& cell) {
  while (message_ptr call = cell.mail.pop_if([this](const message& m) { return is_overdue(m); }))
    refuse_as_overdue(std::move(call));
}

void runtime::answer_overdue() {
  steady_time next = steady_time::max();
  boost::unordered::erase_if(minded_, [this, &next](auto& entry) {
    auto& [cell, earliest] = entry;
    if (earliest <= hub_.pass_time()) answer_overdue_in(*cell);
    earliest = cell->mail.earliest_deadline();
    if (!cell->mail.has_messages()) return true;
    next = std::min(next, earliest);
    return false;
  });
  if (fibers_.starved()) {
    for (actor_cell* cell = ready_head_; cell != nullptr; cell = cell->next_ready)
      answer_overdue_in(*cell);
    if (ready_head_ != nullptr) next = std::min(next, time_after(hub_.pass_time(), overdue_looked_for_every));
  }
  while (message_ptr call = unsent_.pop_if([this](const message& m) { return is_overdue(m); }))
    refuse_as_overdue(std::move(call));
  overdue_.arm(hub_, std::min(next, unsent_.earliest_deadline()));
}

void runtime::refuse_as_overdue(message_ptr call) {
  recorder_.deadline_expired();
  refuse(std::move(call), {status_code::deadline_exceeded, "the call's time was over before its turn began"});
}

// --- Turns ---

bool runtime::may_start(const actor_cell& cell, const message& m) const noexcept {
  return is_settled(cell) && (cell.exclusive == nullptr || m.type->methods()[m.method].interleave);
}

void runtime::run_cell(actor_cell& cell, turn_fibers::place& in) {
  const auto startable = [this, &cell](const message& m) { return may_start(cell, m); };
  for (std::uint32_t n = 0; n < turns_per_actor; ++n) {
    if (cell.mail.has_control() && process_system_messages(cell, in)) return;
    message_ptr call = cell.mail.pop_if(startable);
    if (call == nullptr) return;  // Empty, or a turn that others must wait for is under way and will look again.
    count_turn();
    // Should this turn wait, another fiber goes on with what may overlap with it.
    if (cell.type().interleaves() && cell.mail.has_messages()) enqueue(cell);
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

void runtime::run_turn(actor_cell& cell, message_ptr call, turn_fibers::place& in) {
  if (is_overdue(*call)) {
    refuse_as_overdue(std::move(call));
    return;
  }
  GROVE_DEBUG_CHECK(may_start(cell, *call), "a turn begins that another one excludes");
  turn t{*this, cell, std::move(call), in};
  message& m = *t.call;
  GROVE_DEBUG_CHECK(m.running == nullptr && m.stream == nullptr, "a message's turn begins twice");
  m.running = &t;
  m.state = message_state::running;
  {
    const bool interleaves = cell.type().methods()[m.method].interleave;
    const turn_scope under_way{t, interleaves ? overlap::with_others : overlap::none, turns_running_};
    recorder_.turn_begins(cell, m);
    invoke(t);
    GROVE_DEBUG_CHECK(t.at == turn::progress::ended, "a turn is over and has been neither committed nor undone");
  }
  cell.last_used = sweeps_;
  if (hub_.interrupt_pending(in.fiber)) hub_.cancel_interrupt(in.fiber, &t);
}

void runtime::invoke(turn& t) {
  const message& m = *t.call;
  const actor_method& method = t.cell.type().methods()[m.method];
  try {
    const turn_deadline bounded{t.in.within, m.deadline};
    if (t.cell.life == actor_cell::phase::fresh) activate(t);
    method.invoke(*t.cell.object, t);
    GROVE_CHECK(t.at == turn::progress::ended, "a handler's wrapper returned without ending its turn");
    recorder_.turn_ended(false);
  } catch (const status_error& e) {
    undo(t, e.code(), outcome::executed, e.what());
  } catch (const stack_low& e) {
    undo(t, status_code::resource_exhausted, outcome::executed, std::string{"stack_low: "}.append(e.what()));
  } catch (const std::exception& e) {
    const bool entered = t.at != turn::progress::begun;
    undo(t, status_code::internal, outcome::executed,
         std::string{entered ? "the handler threw: " : "the handler could not be entered: "}.append(e.what()));
  } catch (const turn_cancelled&) {
    undo(t, status_code::cancelled, outcome::unknown, "cancelled by the caller while it ran");
  } catch (const turn_expired&) {
    recorder_.turn_expired();
    undo(t, status_code::deadline_exceeded, outcome::unknown, "the call's time was over while it ran");
  } catch (const greenlet_exit&) {
    undo(t, status_code::unavailable, outcome::unknown, "the worker stopped while it ran");
    if (t.cell.mail.has_messages()) enqueue(t.cell);  // This fiber does not look again.
    throw;
  } catch (...) {
    undo(t, status_code::internal, outcome::executed, "something was thrown that is no std::exception");
  }
}

}  // namespace grove
