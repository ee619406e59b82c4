// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/message_lite.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/check.h"
#include "base/status.h"
#include "worker/actor/message.h"

namespace grove {

/// The bytes of a protobuf message, encoded already or to be encoded straight into where they are needed; or the message
/// itself, for who can use it as it is. Lifetime: borrows what it was made from.
class payload_source {
 public:
  payload_source() = default;
  explicit payload_source(std::string_view encoded) noexcept : encoded_{encoded} {}

  /// `message` must not change until the last `write`, but by who takes it.
  explicit payload_source(google::protobuf::MessageLite&& message) noexcept : message_{&message} {}

  /// Computes the size of a message that is not encoded yet, and keeps it in the message.
  [[nodiscard]] std::size_t size() const { return message_ != nullptr ? message_->ByteSizeLong() : encoded_.size(); }

  /// Writes `size()` bytes, which has been called, at `place`.
  void write(char* place) const {
    if (message_ != nullptr) {
      const auto* const end = message_->SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(place));
      GROVE_DEBUG_CHECK(reinterpret_cast<const char*>(end) == place + message_->GetCachedSize(),
                        "an answer has changed since its size was asked for");
    } else if (!encoded_.empty()) {
      std::memcpy(place, encoded_.data(), encoded_.size());
    }
  }

  /// The message, which the one reader of this source may move from; null: there are only bytes.
  [[nodiscard]] google::protobuf::MessageLite* message() const noexcept { return message_; }

 private:
  google::protobuf::MessageLite* message_ = nullptr;
  std::string_view encoded_;
};

/// How a call ended. Borrows its text and its payload.
struct reply {
  status_code code = status_code::ok;
  outcome result = outcome::executed;
  std::string_view text;
  payload_source payload;
};

/// Whoever waits for calls: the gate for its clients, the mesh for other workers, the runtime for its own
/// actors. Affinity: the worker's hub thread. None of its functions switches.
class reply_sink {
 public:
  reply_sink() = default;
  reply_sink(const reply_sink&) = delete;
  reply_sink& operator=(const reply_sink&) = delete;
  virtual ~reply_sink() = default;

  /// The call has ended so. Its message is freed by the caller afterwards; the origin removes it from its own
  /// list.
  virtual void finish(message& call, const reply& end) = 0;

  /// One element of a streaming call. One that the origin cannot pass on ends the call there: the origin has then let
  /// go of it (`call.origin` is null), and who brought the element ends its own side.
  virtual void item(message& call, const payload_source& payload) = 0;

  /// How many bytes wait for the client of this call to read them: a producer's measure of a slow consumer.
  [[nodiscard]] virtual std::size_t backlog_bytes(const message& call) const = 0;

  /// The call waits for space on its way to another worker: who brings calls should bring no more until it `goes_on`, or
  /// ends.
  virtual void held_up(message& /*call*/) {}
  virtual void goes_on(message& /*call*/) {}
};

}  // namespace grove
