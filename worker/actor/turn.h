// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/message.h>

#include <memory>
#include <utility>

#include "worker/actor/actor_cell.h"
#include "worker/actor/message_scratch.h"
#include "worker/actor/turn_effects.h"
#include "worker/actor/turn_fibers.h"
#include "worker/greenlet/greenlet.h"
#include "worker/hub/wait_listener.h"

namespace grove {

class runtime;

/// The handling of one message by one actor, start to end, or one of the actor's hooks; lives on the stack of the greenlet
/// that it runs in.
///
/// - It ends exactly once: committed by `runtime::commit`, or undone because something is thrown. Until then nothing of its
///   effects is visible.
/// - It changes a copy of the state, which takes the state's place at the commit. So a turn that overlaps with it sees the
///   state before it, whole, and undoing it is to forget the copy.
/// - While it waits the turn observer knows that it does not run.
struct turn final : wait_listener {
  enum class progress : std::uint8_t {
    begun,      ///< The message is looked at; the actor may be activated.
    entered,    ///< Its handler has been entered.
    committed,  ///< It has succeeded: nothing is undone any more.
    ended,      ///< What it did has left, or is held.
  };

  turn(runtime& of, actor_cell& its_cell, message_ptr handles, turn_fibers::place& where) noexcept
      : owner{of}, cell{its_cell}, in{where}, call{std::move(handles)} {}
  /// A hook that runs on behalf of the message `because`, or of none.
  turn(runtime& of, actor_cell& its_cell, const message* because, turn_fibers::place& where) noexcept
      : owner{of}, cell{its_cell}, in{where}, cause{because} {}
  turn(const turn&) = delete;
  turn& operator=(const turn&) = delete;
  ~turn() {
    if (changed != nullptr) message_scratch::give_back(cell.hosted.states, std::move(changed));
  }

  /// The message that it handles, or that a hook runs for; null for a hook that runs for none, and once the stream that
  /// has taken it over is closed.
  [[nodiscard]] const message* handled() const noexcept {
    if (call != nullptr) return call.get();
    return opened ? opened->call.get() : cause;
  }

  void waits() noexcept override;
  void goes_on() noexcept override;

  runtime& owner;
  actor_cell& cell;
  turn_fibers::place& in;
  message_ptr call;                                    ///< Null of a hook, and once a stream has taken it over.
  const message* cause = nullptr;                      ///< Of a hook.
  std::unique_ptr<google::protobuf::Message> changed;  ///< The state as the turn has changed it; null: it has not.
  turn_effects effects;
  stream_ptr opened;      ///< Of a streaming method.
  turn* outer = nullptr;  ///< The turn that this one is a hook of, in the same fiber.
  progress at = progress::begun;
  bool changed_in_place = false;  ///< The state itself was changed, and cannot be undone.
  bool is_exclusive = false;      ///< Only those overlap with it whose method interleaves.
};

/// Makes `running` the turn that runs in a greenlet, and has it told of the greenlet's waits; null: none does any more.
void bind_turn(greenlet& in, turn* running) noexcept;

/// The turn that runs in a greenlet, if any. Affinity: async-signal-safe.
[[nodiscard]] turn* turn_in(const greenlet& of) noexcept;

/// The turn that runs in the present greenlet, if any.
[[nodiscard]] turn* current_turn() noexcept;

/// Thrown in a turn whose caller has given it up; outside std::exception, so that ordinary handlers let it
/// pass.
struct turn_cancelled {};

/// Thrown in a turn whose call's time is over.
struct turn_expired {};

namespace actors::detail {

/// The request of a turn: the object that came with its message, or one that its bytes were parsed into, borrowed from
/// the runtime.
class request_object {
 public:
  explicit request_object(const google::protobuf::Message& of_message) noexcept : request_{&of_message} {}
  request_object(message_objects& home, std::unique_ptr<google::protobuf::Message> parsed) noexcept
      : request_{parsed.get()}, home_{&home}, parsed_{std::move(parsed)} {}
  request_object(const request_object&) = delete;
  request_object& operator=(const request_object&) = delete;
  ~request_object() {
    if (home_ != nullptr) message_scratch::give_back(*home_, std::move(parsed_));
  }
  [[nodiscard]] const google::protobuf::Message& get() const noexcept { return *request_; }

 private:
  const google::protobuf::Message* request_;
  message_objects* home_ = nullptr;
  std::unique_ptr<google::protobuf::Message> parsed_;
};

/// The request of `t`: the last step before its handler is entered.
/// Errors: invalid_argument for a payload that is no encoding of such a message, or is nested too deep.
[[nodiscard]] request_object read_request(turn& t, const google::protobuf::Message& prototype);

/// Ends a turn that has succeeded: what it sent leaves, then its caller gets `response`.
/// Errors: what the store throws at a change that it cannot take; the turn is to be undone then.
void finish(turn& t, google::protobuf::MessageLite&& response);

/// Ends a turn of a streaming method that has succeeded; the stream ends when its last handle does.
void finish(turn& t);

/// Makes the stream that a streaming method writes to.
[[nodiscard]] stream_ptr open_stream(turn& t);

}  // namespace actors::detail

}  // namespace grove
