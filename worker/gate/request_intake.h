// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "proto/wire/envelope.h"
#include "worker/gate/session.h"

namespace grove {

/// Turns a client's requests into messages: looks up what they name, holds them against the limits, and sends them on
/// their way. What cannot be taken is answered at once, not executed.
class request_intake {
 public:
  explicit request_intake(session& from) noexcept : session_{from}, owner_{from.owner_} {}

  void take(const wire::request_view& request);
  void cancel(std::uint64_t id);

 private:
  /// What is wrong with the request itself; OK when nothing is.
  [[nodiscard]] status examine(const wire::request_view& request) const;
  void refuse(const wire::request_view& request, status_code code, const std::string& text);

  session& session_;
  gate& owner_;
};

}  // namespace grove
