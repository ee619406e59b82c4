// SPDX-License-Identifier: Apache-2.0
#pragma once

// Runs the actors of one worker.
//
// Problem: millions of actors, each with turns that may wait at any point, and no cost of a stack or a switch
// for a turn that does not.
//
// How: a message goes into its actor's mailbox, and the actor into the ready queue. A runner, a greenlet from
// a pool, takes ready actors and runs their turns one after another on its own stack. A turn that waits keeps
// the runner that it is on; the next ready actor then gets another runner. So a turn that does not wait costs
// no switch, and only waiting turns hold stacks.
//
// What comes from outside, a client or another worker, comes many at a time and to actors that are seldom in the
// processor's caches. So it waits until the actors are run, and then their cells are fetched from memory all at once.
//
// Invariants:
// - of the turns of an actor, at most one is exclusive; others overlap with it only if their method
// interleaves;
// - a call is answered exactly once, whatever becomes of its actor; a tell is freed exactly once;
// - an actor is in the ready queue at most once, and only while it has something to do;
// - what a turn sends leaves when the turn succeeds, before its own reply.

#include <google/protobuf/message.h>

#include <cstdint>
#include <string_view>

#include "base/process/limits.h"
#include "worker/actor/actor_type.h"
#include "worker/actor/calls.h"
#include "worker/actor/directory.h"
#include "worker/actor/flight_recorder.h"
#include "worker/actor/message.h"
#include "worker/actor/message_scratch.h"
#include "worker/actor/remote.h"
#include "worker/actor/reply.h"
#include "worker/actor/runners.h"
#include "worker/actor/state_store.h"
#include "worker/actor/turn.h"
#include "worker/hub/callback_timer.h"
#include "worker/hub/hub.h"

namespace grove {

class runtime final : public message_receiver, private hub_component {
 public:
  /// `types` has all its types; `recorder` is told what runs. Lifetime: everything is borrowed, and outlives the runtime.
  runtime(hub& on, const actor_types& types, state_store& store, flight_recorder& recorder, const limits& its_limits);
  ~runtime() override;

  /// From now on, calls to actors that other workers own go through `mesh`. Until then all actors are local.
  void connect(remote& mesh) noexcept { remote_ = &mesh; }

  /// Sends a call or a tell of an actor here on its way: to an actor here, or to the worker that owns its actor.
  void submit(message_ptr call);

  /// The same for a client's call, which is delivered as one of another worker is.
  void submit_from_client(message_ptr call);

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
  [[nodiscard]] std::size_t active_actors() const noexcept { return directory_.size(); }
  [[nodiscard]] std::size_t turns_running() const noexcept { return turns_running_; }

  /// Whether all that was taken is done: no message waits or runs here or is with another worker, no stream is open.
  [[nodiscard]] bool idle() const noexcept { return messages_.in_use() == 0 && turns_running_ == 0; }

  /// Stacks that are kept for turns and in no use.
  [[nodiscard]] std::size_t idle_stacks() const noexcept { return runners_.idle(); }

  /// Passivates, a few at a time, actors that were idle for their time, and gives stacks and message objects back that
  /// are not needed any more. Called about once a second.
  void sweep_idle();

  /// Message objects to parse requests and copy states into.
  [[nodiscard]] message_scratch& scratch() noexcept { return scratch_; }

  // For the parts of the runtime that have files of their own (turn.cc, stream.cc).
  void enqueue(actor_cell& cell);
  void end_turn(turn& t, const reply& end);
  void close_stream(stream_state& s, const status& end);
  void break_stream(stream_state& s, const status& why);  ///< Closes it from the other side: its actor is told.
  void remember_state(turn& t);

 private:
  bool poll() override;
  bool prepare_sleep() override { return arrivals_.empty() && (ready_head_ == nullptr || runners_.starved()); }
  void woke() override {}

  /// Null once it is on its way to the worker that owns its actor.
  [[nodiscard]] message_ptr send_if_elsewhere(message_ptr call);
  void deliver_arrivals();
  void put_into_mailbox(message_ptr call);
  void run_batch(const runners::place& in);
  void refuse_ready_overdue();
  void refuse_as_overdue(message_ptr call);
  [[nodiscard]] bool is_overdue(const message& m) const noexcept { return m.deadline <= hub_.pass_time(); }
  void run_cell(actor_cell& cell, const runners::place& in);
  void count_turn();
  [[nodiscard]] bool may_start(const actor_cell& cell, const message& m) const noexcept;
  void run_turn(actor_cell& cell, message_ptr call, const runners::place& in);
  void invoke(turn& t, wait_bound& within);
  void activate(actor_cell& cell);
  /// Runs a step of an actor's life that no caller waits for: what it throws is reported. False: it threw.
  template <class Step>
  bool attempt(const actor_cell& cell, std::string_view what, Step step);
  bool take_controls(actor_cell& cell);
  void tell_of_closed_stream(actor_cell& cell);
  bool passivate(actor_cell& cell);
  void save_state(actor_cell& cell);
  void close_stream(stream_state& s, const reply& end);
  void release_outbox(turn& t);
  /// Ends a turn that was left by an exception. `result` is of a turn whose handler had been entered.
  void abort_turn(turn& t, status_code code, outcome result, std::string_view text);
  [[nodiscard]] bool refuse_at_mailbox(const actor_cell& cell, message_ptr& call);
  [[nodiscard]] actor_cell* pop_ready() noexcept;

  hub& hub_;
  const actor_types& types_;
  state_store& store_;
  flight_recorder& recorder_;
  const limits& limits_;
  remote* remote_ = nullptr;

  message_pool messages_;
  directory directory_;
  message_queue arrivals_;
  local_calls calls_;
  actor_cell* ready_head_ = nullptr;
  actor_cell* ready_tail_ = nullptr;
  runners runners_;
  callback_timer overdue_{[this] { refuse_ready_overdue(); }};
  message_scratch scratch_;
  std::size_t turns_running_ = 0;
  std::uint32_t turns_left_ = 0;  ///< Of the present batch.
  steady_time batch_end_{};       ///< When the batch ends even if turns are left.
  std::uint32_t sweeps_ = 0;
  std::size_t sweep_position_ = 0;
};

}  // namespace grove
