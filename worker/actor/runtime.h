// SPDX-License-Identifier: Apache-2.0
#pragma once

// Runs the actors of one worker.
//
// Problem: millions of actors, each with turns that may wait at any point, and no cost of a stack or a switch
// for a turn that does not.
//
// How: a message goes into its actor's mailbox, and the actor into the ready queue. A fiber, a greenlet from
// a pool, takes ready actors and runs their turns one after another on its own stack. A turn that waits keeps
// the fiber that it is on; the next ready actor then gets another one. So a turn that does not wait costs
// no switch, and only waiting turns hold stacks. A call to an actor that has nothing to do runs its turn in another fiber at
// once, in place of its caller: two bare switches in place of a queue, a loop and a wait.
//
// A turn does nothing to the world while it runs but call. What it has done is a value at its end (turn_effects.h). A change
// of the state goes to the store, which gives a ticket for it; what a turn did leaves through one function, `release`, at
// once when the last ticket of its actor is durable, else from a line, when it is.
//
// What comes from outside, a client or another worker, comes many at a time and to actors that are seldom in the
// processor's caches. So it waits until the actors are run, and then their cells are fetched from memory all at once.
//
// Invariants:
// - of the turns and hooks of an actor, at most one is exclusive; others overlap with it only if their method interleaves,
//   and of an actor with state these only read;
// - a call is answered exactly once, whatever becomes of its actor; a tell is freed exactly once;
// - an actor is in the ready queue at most once. One that has something to do is there, or has a turn under way whose
//   fiber looks again when it has ended; one that is there may have nothing to do any more, when that was given up;
// - what a turn did leaves after its change is durable, in the order of the turns of its actor: tells, then what it did to
//   streams, then the reply. Calls of a turn leave at once, or behind what its actor has in the line.

#include <google/protobuf/message.h>

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/process/limits.h"
#include "worker/actor/actor_type.h"
#include "worker/actor/calls.h"
#include "worker/actor/directory.h"
#include "worker/actor/flight_recorder.h"
#include "worker/actor/held_item.h"
#include "worker/actor/hosted_type.h"
#include "worker/actor/message.h"
#include "worker/actor/placement.h"
#include "worker/actor/remote.h"
#include "worker/actor/reply.h"
#include "worker/actor/state_store.h"
#include "worker/actor/turn.h"
#include "worker/actor/turn_fibers.h"
#include "worker/actor/unsent_calls.h"
#include "worker/hub/callback_timer.h"
#include "worker/hub/hub.h"

namespace grove {

class runtime final : public message_receiver, private hub_component, private store_listener {
 public:
  /// `types` has all its types; `recorder` is told what runs. Lifetime: everything is borrowed, and outlives the runtime.
  runtime(hub& on, const actor_types& types, state_store& store, flight_recorder& recorder, const limits& its_limits);
  ~runtime() override;

  /// From now on this is the worker of `own_slot`: actors live where `where` says, and calls to those of others go through
  /// `peers`. Until then all actors are local. Lifetime: both are borrowed, and outlive the runtime.
  void connect(remote& peers, const placement& where, std::uint32_t own_slot) noexcept {
    remote_ = &peers;
    placement_ = &where;
    own_slot_ = own_slot;
  }

  /// Sends a tell of an actor here, or a call from a test, on its way: to an actor here, or to the worker that owns its
  /// actor.
  void submit(message_ptr call);

  /// The same for a client's call, which waits as one of another worker does until actors are run.
  void submit_from_client(message_ptr call);

  /// Sends a call that the present greenlet waits for afterwards, made in the turn `by` or in none (null). The callee's turn
  /// may have run, or have begun, when this returns.
  /// Switches: it may, but other greenlets do not run before it returns than those of turns that are called.
  void send_call(message_ptr call, waiting_caller& waits, const turn* by);

  /// Sends what a turn of `from` may send before it has ended, behind what is held of earlier turns.
  void route_from(actor_cell& from, message_ptr sent);

  void deliver(message_ptr call) override;
  void refuse(message_ptr call, const status& why) override;
  void cancel(message& call) override;

  /// Runs ready actors until there are none, or a bounded number of turns, or there is no stack to run them on. False:
  /// none was run.
  /// Affinity: the hub's greenlet.
  bool run_ready();

  [[nodiscard]] message_pool& messages() noexcept { return messages_; }
  [[nodiscard]] const actor_types& types() const noexcept { return types_; }
  [[nodiscard]] const limits& bounds() const noexcept { return limits_; }
  [[nodiscard]] hub& on() const noexcept { return hub_; }
  [[nodiscard]] local_calls& calls() noexcept { return calls_; }
  [[nodiscard]] flight_recorder& recorder() noexcept { return recorder_; }
  /// Null: there is no type with this id here.
  [[nodiscard]] hosted_type* find_hosted(std::uint64_t type_id) const noexcept;
  [[nodiscard]] std::size_t active_actors() const noexcept { return directory_.size(); }
  [[nodiscard]] std::size_t turns_running() const noexcept { return turns_running_; }
  /// How many turns, calls and passivations wait until something is durable.
  [[nodiscard]] std::size_t held() const noexcept { return held_.size(); }

  /// How many calls wait for space on their way to other workers.
  [[nodiscard]] std::size_t unsent() const noexcept { return unsent_.size(); }

  /// Whether all that was taken is done: no message waits or runs here or is with another worker, no stream is open.
  [[nodiscard]] bool idle() const noexcept { return messages_.in_use() == 0 && turns_running_ == 0 && held_.empty(); }

  /// Walks actors, mailboxes, turns and lines, and aborts with the name of the first invariant that does not hold.
  /// Affinity: the hub's thread, between passes of the loop.
  void check_invariants() const;

  /// Stacks that are kept for turns and in no use.
  [[nodiscard]] std::size_t idle_stacks() const noexcept { return fibers_.idle(); }

  /// Passivates, a few at a time, actors that were idle for their time, and gives stacks and message objects back that
  /// are not needed any more. Called about once a second.
  void sweep_idle();

  // For the parts of the runtime that have files of their own (turn.cc, stream.cc, hold.cc).
  void enqueue(actor_cell& cell);
  /// Ends a turn that has succeeded, with the reply that its effects have.
  /// Errors: what the store throws at its change; nothing has happened then.
  void commit(turn& t);
  void close_stream(stream_state& s, const status& end);
  void break_stream(stream_state& s, const status& why);  ///< Closes it from the other side: its actor is told.
  /// A copy of the state, for `t` to change.
  [[nodiscard]] std::unique_ptr<google::protobuf::Message> copy_of_state(const turn& t);
  /// Has the calls that wait for a turn of `cell` answered when their time is over.
  void mind_mailbox(actor_cell& cell, steady_time earliest) noexcept;

 private:
  bool poll() override;
  bool prepare_sleep() override { return arrivals_.empty() && (ready_head_ == nullptr || fibers_.starved()); }
  void woke() override {}
  void durable(ticket up_to) override;

  void check_submitted(const message& call) const noexcept;
  /// Null once it is on its way to the worker that owns its actor.
  [[nodiscard]] message_ptr send_if_elsewhere(message_ptr call);
  void send_to(std::uint32_t slot, message_ptr call);
  void wait_for_space(std::uint32_t slot, message_ptr call);
  bool send_unsent();
  [[nodiscard]] bool is_here(address_owner owner) const noexcept { return owner.is_at(own_node, own_slot_); }
  void refuse_as_misdirected(message_ptr call, address_owner owner);
  void deliver_some_arrivals();
  bool run_some_ready();
  /// The actor of `call`, which is made if it is not there. Null: the call has been refused.
  [[nodiscard]] actor_cell* find_actor(message_ptr& call);
  void put_into_mailbox(message_ptr call);
  void queue(actor_cell& cell, message_ptr call);
  [[nodiscard]] bool run_in_place(actor_cell& cell, message_ptr& call, waiting_caller& waits);
  void run_batch(turn_fibers::place& in);
  void answer_overdue();
  void answer_overdue_in(actor_cell& cell);
  void refuse_as_overdue(message_ptr call);
  [[nodiscard]] bool is_overdue(const message& m) const noexcept { return m.deadline <= hub_.pass_time(); }
  void run_cell(actor_cell& cell, turn_fibers::place& in);
  void count_turn();
  [[nodiscard]] bool may_start(const actor_cell& cell, const message& m) const noexcept;
  void run_turn(actor_cell& cell, message_ptr call, turn_fibers::place& in);
  void invoke(turn& t);
  void activate(turn& t);
  /// Runs a hook of an actor, as a turn that no caller waits for and that no other one overlaps with but those that
  /// interleave: commits it, or undoes it and lets through what it throws.
  template <class Hook>
  void run_hook(actor_cell& cell, const message* because, turn_fibers::place& in, Hook hook);
  /// The same where what is thrown is reported. False: it threw.
  template <class Step>
  bool attempt(const actor_cell& cell, std::string_view what, Step step);
  bool process_system_messages(actor_cell& cell, turn_fibers::place& in);
  bool passivate(actor_cell& cell, turn_fibers::place& in);
  void wait_until_durable(const actor_cell& cell);
  void save_state(const actor_cell& cell);
  void close_stream(stream_state& s, const reply& end);
  void append_change(turn& t);
  /// What may leave of a turn of `cell` leaves, or is held.
  void leave(actor_cell& cell, message_ptr& call, turn_effects& effects) noexcept;
  void release(message* call, turn_effects& effects) noexcept;
  void release_to_stream(stream_effect& effect);
  void answer(message& call, const reply& end) noexcept;
  void hold(actor_cell& cell, message_ptr& call, turn_effects& effects);
  [[nodiscard]] bool is_held_back(const actor_cell& cell) const noexcept { return cell.last_ticket > durable_; }
  held_item& line_up(actor_cell& cell);
  void release_held(held_item& item);
  void give_up_held();
  void check_ready_queue(std::size_t ready) const;
  [[nodiscard]] bool check_minded(const actor_cell& cell) const;
  [[nodiscard]] bool is_in_directory(const actor_cell& wanted) const noexcept;
  /// Ends a turn that was left by an exception. `result` is of a turn whose handler had been entered.
  void undo(turn& t, status_code code, outcome result, std::string_view text);
  [[nodiscard]] bool refuse_at_mailbox(actor_cell& cell, message_ptr& call);
  [[nodiscard]] bool has_room(const mailbox& mail, const message& call) const noexcept;
  [[nodiscard]] actor_cell* pop_ready() noexcept;

  hub& hub_;
  const actor_types& types_;
  state_store& store_;
  flight_recorder& recorder_;
  const limits& limits_;
  remote* remote_ = nullptr;
  const placement* placement_ = nullptr;
  static constexpr std::uint32_t own_node = 0;  // Until there is a second machine.
  std::uint32_t own_slot_ = 0;

  std::vector<std::unique_ptr<hosted_type>>
      hosted_;  // By the type's index. Their message objects outlive the messages.
  message_pool messages_;
  local_calls calls_;  // Actors may still send, in vain, while the directory destroys them.
  directory directory_;
  message_queue arrivals_;
  unsent_calls unsent_;
  actor_cell* ready_head_ = nullptr;
  actor_cell* ready_tail_ = nullptr;
  turn_fibers fibers_;
  std::deque<held_item> held_;
  ticket durable_ = 0;
  ticket last_given_ = 0;                                       // by the store, for a change
  boost::unordered_flat_map<actor_cell*, steady_time> minded_;  // Mailboxes with calls that cannot begin.
  callback_timer overdue_{[this] { answer_overdue(); }};        // Of these, and of what is unsent.
  std::size_t turns_running_ = 0;
  std::uint32_t turns_left_ = 0;  ///< Of the present batch.
  steady_time batch_end_{};       ///< When the batch ends even if turns are left.
  std::uint32_t sweeps_ = 0;
  std::size_t sweep_position_ = 0;
  bool stopping_ = false;  ///< Nothing is taken any more.
};

}  // namespace grove
