// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/message.h>

#include <memory>
#include <string>
#include <vector>

#include "worker/actor/actor_cell.h"
#include "worker/actor/message_scratch.h"
#include "worker/actor/reply.h"
#include "worker/actor/stream_state.h"
#include "worker/greenlet/greenlet.h"
#include "worker/hub/wait_bound.h"
#include "worker/hub/wait_listener.h"

namespace grove {

class runtime;

/// What leaves a worker only when the turn that made it has succeeded: a tell, or something written to a
/// stream.
struct outgoing {
  message_ptr tell;
  stream_ptr stream;
  std::string item;
  enum class stream_step : std::uint8_t { item, close } step = stream_step::item;
  status end;  ///< Of a stream that is closed.
};

/// The handling of one message by one actor, start to end; lives on the stack of the greenlet that it runs
/// in. Invariant: it ends exactly once, by `finish` or because something is thrown, and until then nothing of its effects
/// is visible. While it waits the flight recorder knows that it does not run.
struct turn final : wait_listener {
  turn(runtime& its_runtime, actor_cell& its_cell, message_ptr its_call, greenlet& its_greenlet) noexcept
      : owner{its_runtime}, cell{its_cell}, call{std::move(its_call)}, running_in{its_greenlet} {}
  turn(const turn&) = delete;
  turn& operator=(const turn&) = delete;

  /// The message that it handles; null once the stream that has taken it over is closed.
  [[nodiscard]] const message* handled() const noexcept {
    return call == nullptr && opened ? opened->call.get() : call.get();
  }

  void waits() noexcept override;
  void goes_on() noexcept override;

  runtime& owner;
  actor_cell& cell;
  message_ptr call;  ///< Null once a stream has taken it over.
  greenlet& running_in;
  const wait_bound* within = nullptr;  ///< What limits its waits; all limits that it makes itself end before it does.
  std::unique_ptr<google::protobuf::Message> state_before;  ///< Set once the handler asked for the state to change.
  std::vector<outgoing> outbox;
  stream_ptr opened;     ///< Of a streaming method.
  bool entered = false;  ///< Its handler has been entered.
  bool ended = false;
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

/// A message object that is borrowed from the runtime, to be parsed into without an allocation.
class scratch_message {
 public:
  scratch_message(message_scratch::list& home, std::unique_ptr<google::protobuf::Message> message) noexcept
      : home_{home}, message_{std::move(message)} {}
  scratch_message(const scratch_message&) = delete;
  scratch_message& operator=(const scratch_message&) = delete;
  ~scratch_message() { home_.push_back(std::move(message_)); }
  [[nodiscard]] const google::protobuf::Message& get() const noexcept { return *message_; }

 private:
  message_scratch::list& home_;
  std::unique_ptr<google::protobuf::Message> message_;
};

/// The request of `t`, parsed: the last step before its handler is entered.
/// Errors: invalid_argument for a payload that is no encoding of such a message, or is nested too deep.
[[nodiscard]] scratch_message read_request(turn& t, const google::protobuf::Message& prototype);

/// Ends a turn that has succeeded: what it sent leaves, then its caller gets `response`.
void finish(turn& t, const google::protobuf::MessageLite& response);

/// Ends a turn of a streaming method that has succeeded; the stream ends when its last handle does.
void finish(turn& t);

/// Makes the stream that a streaming method writes to.
[[nodiscard]] stream_ptr open_stream(turn& t);

}  // namespace actors::detail

}  // namespace grove
