// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"

namespace grove {

/// What a call may ask for beyond its address, method and payload.
struct call_options {
  /// How long the caller waits in all, attempts and pauses included. 0: the client's default.
  std::chrono::microseconds timeout{0};
  /// Whether the client's retry policy applies. It never repeats a call that may have run.
  bool retry = true;
  /// Makes the effects happen once however often the request is sent, up to 64 bytes. A server whose state is not
  /// durable refuses it.
  std::string idempotency_key;
  /// Names and values beside the payload, for the actor to read. Of a name that occurs twice the last value counts.
  std::vector<std::pair<std::string, std::string>> metadata;
};

/// How a call ended.
struct call_result {
  grove::status status;
  grove::outcome outcome = grove::outcome::unspecified;
  std::string payload;  ///< The encoded response message, when the status is OK.

  [[nodiscard]] bool ok() const noexcept { return status.ok(); }
};

/// A failed call, thrown by the typed helpers.
class call_error : public status_error {
 public:
  call_error(const status& failure, grove::outcome outcome)
      : status_error{failure.code(), failure.message()}, outcome_{outcome} {}

  /// Whether the call may be repeated without harm.
  [[nodiscard]] grove::outcome outcome() const noexcept { return outcome_; }

 private:
  grove::outcome outcome_;
};

}  // namespace grove
