// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/message_lite.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "worker/actor/reply.h"

namespace grove {

class runtime;

struct actor_call_options {
  /// How long to wait at most; never longer than what is left of the calling turn's own time, unless the call is made
  /// `uninterrupted`. Empty: the server's default for a call.
  std::optional<time_span> timeout;
};

/// Calls from actors of this worker, to actors anywhere: whoever waits for one waits here.
class local_calls final : public reply_sink {
 public:
  explicit local_calls(runtime& owner) noexcept : owner_{owner} {}

  /// Sends a call and suspends the calling greenlet until it is answered.
  /// Switches: yes. Only this greenlet waits.
  /// Errors: status_error with the code of the callee, or DEADLINE_EXCEEDED, UNAVAILABLE and so on; NOT_FOUND
  /// for a type or a method that does not exist, UNIMPLEMENTED for a streaming one. Cancel: the callee's turn is
  /// cancelled at its next switch point.
  void call(std::string_view type, std::string_view key, std::string_view method,
            const google::protobuf::MessageLite& request, google::protobuf::MessageLite& response,
            const actor_call_options& options);

  /// Sends a message without waiting for anything. In a turn it leaves when the turn has succeeded.
  /// Errors: as `call`, but only for what is wrong with the address.
  void tell(std::string_view type, std::string_view key, std::string_view method,
            const google::protobuf::MessageLite& request);

  void finish(message& call, const reply& end) override;
  void item(message& call, const payload_source& payload) override;
  [[nodiscard]] std::size_t backlog_bytes(const message& call) const override;

 private:
  [[nodiscard]] message_ptr make(std::string_view type, std::string_view key, std::string_view method,
                                 const google::protobuf::MessageLite& request, bool waits);

  runtime& owner_;
};

}  // namespace grove
