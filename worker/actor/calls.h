// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/message.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "worker/actor/hosted_type.h"
#include "worker/actor/reply.h"
#include "worker/actor/turn_fibers.h"
#include "worker/hub/waiter.h"

namespace grove {

class runtime;
struct turn;

struct actor_call_options {
  /// How long to wait at most; never longer than what is left of the calling turn's own time, unless the call is made
  /// `uninterrupted`. Empty: the server's default for a call.
  std::optional<time_span> timeout;
};

/// A method as generated code knows it.
struct method_key {
  std::uint16_t index;  ///< In its service, as the caller has it compiled; the callee's may differ.
  std::uint64_t id;     ///< The hash of its name.
  std::string_view name;
};

/// A greenlet that waits for the answer to its call, from before it is sent. Lifetime: on the stack of that greenlet, or in
/// an off_stack if that is sliced; the call is given up when it goes away first.
class waiting_caller final : public lender {
 public:
  /// Moves an answer from one object into another one, both of the type of the caller's response.
  using mover = void (*)(google::protobuf::MessageLite& into, google::protobuf::MessageLite& from);

  waiting_caller(hub& on, google::protobuf::Message& into, mover by) noexcept
      : lender{on}, wake_up{on}, response_{into}, move_{by} {}
  ~waiting_caller() override;

  /// The call has ended so.
  void answered(const reply& end);
  [[nodiscard]] bool is_answered() const noexcept { return is_answered_; }
  /// Errors: status_error, unless it has ended well.
  void throw_if_failed() const;

  waiter wake_up;
  message* sent = nullptr;   ///< Until it is answered.
  runtime* owner = nullptr;  ///< Who has it.
  bool hands_over = false;   ///< The callee's answer is of the same class as the caller's.

 private:
  void read(const payload_source& payload);

  google::protobuf::Message& response_;
  mover move_;
  status end_;
  bool is_answered_ = false;
};

/// Calls from actors of this worker, to actors anywhere: whoever waits for one waits here. Generated references
/// (worker/actor/reference.h) call it.
class local_calls final : public reply_sink {
 public:
  explicit local_calls(runtime& owner) noexcept : owner_{owner} {}

  /// An address, looked up once.
  struct target {
    hosted_type* type = nullptr;  ///< Null: this worker has no such type.
    std::string_view type_name;
    std::string_view key;
    std::uint64_t hash = 0;
    bool is_good = false;  ///< The key is known to be one.
  };

  /// A message for `to`, with `request` encoded, or with an object that the caller has to fill with it and to declare
  /// filled, because the actor's own requests are of the same class.
  struct prepared {
    message_ptr sent;
    google::protobuf::Message* to_fill = nullptr;
    const google::protobuf::Message* response = nullptr;  ///< The default instance of what the actor answers with.
  };
  /// Errors: status_error: NOT_FOUND for a type that does not exist, UNIMPLEMENTED for a method that does not, and for a
  /// streaming one, INVALID_ARGUMENT for a key that is none, FAILED_PRECONDITION for calls that are nested too deep.
  [[nodiscard]] prepared prepare(const target& to, const method_key& method, const google::protobuf::Message& request,
                                 const google::protobuf::Message& prototype, bool waits);

  /// Sends a call and suspends the calling greenlet until it is answered. An actor of this worker that has nothing to do
  /// runs its turn at once, in place of the caller.
  /// Switches: yes. Only this greenlet waits.
  /// Errors: status_error with the code of the callee, or DEADLINE_EXCEEDED, UNAVAILABLE and so on. Cancel: the callee's
  /// turn is cancelled at its next switch point.
  void await(message_ptr call, waiting_caller& caller, const actor_call_options& options);

  /// Sends a message without waiting for anything. In a turn it leaves when the turn has succeeded.
  void tell(message_ptr told);

  void finish(message& call, const reply& end) override;
  void item(message& call, const payload_source& payload) override;
  [[nodiscard]] std::size_t backlog_bytes(const message& call) const override;

 private:
  [[nodiscard]] std::uint16_t find_method(const target& to, const method_key& method) const;

  runtime& owner_;
};

}  // namespace grove
