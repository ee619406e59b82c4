// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "base/process/limits.h"
#include "base/process/shared_metrics.h"
#include "base/status.h"
#include "worker/actor/reply.h"
#include "worker/actor/runtime.h"
#include "worker/gate/call_table.h"

namespace grove {

/// Names and values that came with a request, encoded as its protocol has them.
struct request_metadata {
  using entry = std::pair<std::string_view, std::string_view>;
  /// The first of `rest`, which it takes off; nothing at the end.
  using next_function = std::optional<entry> (*)(std::string_view& rest) noexcept;

  std::string_view encoded;
  next_function next = nullptr;
  std::uint32_t entries = 0;
};

/// What any protocol has taken from the wire. Borrows its bytes.
struct incoming_request {
  std::uint64_t id = 0;  ///< By which its connection knows the call: a client's own number, or one of the protocol's.
  std::string_view type;
  std::string_view key;
  std::string_view method;
  std::string_view payload;
  std::chrono::microseconds remaining{0};  ///< The time that it has; 0: what the limits give it.
  std::string_view idempotency_key;
  request_metadata metadata;
  bool one_way = false;
};

/// Turns what protocols have taken from the wire into messages: looks up what a request names, holds it against the
/// limits, and sends it on its way. It knows no protocol.
/// Affinity: the hub thread.
class intake {
 public:
  /// Lifetime: all is borrowed.
  intake(runtime& actors, worker_metrics& metrics, const limits& limits) noexcept
      : actors_{actors}, metrics_{metrics}, limits_{limits} {}

  /// Takes a request: its call is then in `calls`, and `origin` is told how it ends, which may be before this returns.
  /// Errors: what the client is to be told; nothing was executed, and nothing is in the table.
  status take(const incoming_request& request, call_table& calls, reply_sink& origin);

  /// Cancels a call. One that has been answered meanwhile is none any more, and nothing is left to cancel.
  void cancel(const call_table& calls, std::uint64_t id);

  /// From now on all requests are refused: the server drains.
  void refuse_all() noexcept { draining_ = true; }
  [[nodiscard]] bool draining() const noexcept { return draining_; }

 private:
  [[nodiscard]] status examine(const incoming_request& request) const;
  [[nodiscard]] status examine_method(const incoming_request& request, const actor_type& type,
                                      std::uint16_t method) const;
  [[nodiscard]] steady_time deadline_of(const incoming_request& request, bool streams) const;

  runtime& actors_;
  worker_metrics& metrics_;
  const limits& limits_;
  bool draining_ = false;
};

}  // namespace grove
