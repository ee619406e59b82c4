// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace grove {

/// The canonical codes of gRPC, with gRPC's numbers: the same in C++, on the wire, in the CLI and over HTTP.
enum class status_code : std::uint8_t {
  ok = 0,
  cancelled = 1,
  unknown = 2,
  invalid_argument = 3,
  deadline_exceeded = 4,
  not_found = 5,
  already_exists = 6,
  permission_denied = 7,
  resource_exhausted = 8,
  failed_precondition = 9,
  aborted = 10,
  out_of_range = 11,
  unimplemented = 12,
  internal = 13,
  unavailable = 14,
  data_loss = 15,
  unauthenticated = 16,
};

/// "INVALID_ARGUMENT" and so on; "UNKNOWN" for a number that is no code.
[[nodiscard]] std::string_view to_string(status_code code) noexcept;

/// What is known of the effects of a call that has ended.
enum class outcome : std::uint8_t {
  unspecified = 0,
  executed = 1,      ///< The handler ran to its end: OK, or an error of the application's.
  not_executed = 2,  ///< The handler did not run: it is safe to try again.
  unknown = 3,       ///< It may have run: try again only if that does no harm.
};

/// "executed", "not executed", "unknown".
[[nodiscard]] std::string_view to_string(outcome value) noexcept;

/// The result of something that can fail: a code and, unless it is OK, a text for a person.
class [[nodiscard]] status {
 public:
  status() = default;
  status(status_code code, std::string message) : code_{code}, message_{std::move(message)} {}

  [[nodiscard]] bool ok() const noexcept { return code_ == status_code::ok; }
  [[nodiscard]] status_code code() const noexcept { return code_; }
  [[nodiscard]] const std::string& message() const noexcept { return message_; }

  /// "OK", or "CODE: message".
  [[nodiscard]] std::string to_string() const;

  friend bool operator==(const status&, const status&) = default;

 private:
  status_code code_ = status_code::ok;
  std::string message_;
};

/// A failed call, as an actor's author meets it: thrown by a handler to fail its call, and by `call`.
class status_error : public std::runtime_error {
 public:
  status_error(status_code code, const std::string& message) : std::runtime_error{message}, code_{code} {}

  [[nodiscard]] status_code code() const noexcept { return code_; }

 private:
  status_code code_;
};

/// `throw grove::invalid_argument("amount must be positive")`: one type a code, for handlers to throw.
template <status_code Code>
class error_of : public status_error {
 public:
  explicit error_of(const std::string& message) : status_error{Code, message} {}
};

using cancelled = error_of<status_code::cancelled>;
using invalid_argument = error_of<status_code::invalid_argument>;
using deadline_exceeded = error_of<status_code::deadline_exceeded>;
using not_found = error_of<status_code::not_found>;
using already_exists = error_of<status_code::already_exists>;
using permission_denied = error_of<status_code::permission_denied>;
using resource_exhausted = error_of<status_code::resource_exhausted>;
using failed_precondition = error_of<status_code::failed_precondition>;
using aborted = error_of<status_code::aborted>;
using out_of_range = error_of<status_code::out_of_range>;
using unimplemented = error_of<status_code::unimplemented>;
using internal_error = error_of<status_code::internal>;
using unavailable = error_of<status_code::unavailable>;

}  // namespace grove
