// SPDX-License-Identifier: Apache-2.0
#include "proto/json/internal/time_text.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

namespace grove::json_internal {
namespace {

constexpr std::int32_t second_in_nanos = 1'000'000'000;
constexpr std::int64_t day_in_seconds = 86'400;
constexpr std::int64_t timestamp_least = -62'135'596'800;  // 0001-01-01T00:00:00Z
constexpr std::int64_t timestamp_most = 253'402'300'799;   // 9999-12-31T23:59:59Z
constexpr std::int64_t duration_most = 315'576'000'000;    // 10,000 years

/// Reads a text from its front; once something did not fit, nothing does.
class text_reader {
 public:
  explicit text_reader(std::string_view text) : rest_{text} {}

  [[nodiscard]] bool done() const noexcept { return fits_ && rest_.empty(); }
  [[nodiscard]] bool fits() const noexcept { return fits_; }
  [[nodiscard]] bool next_is(char c) const noexcept { return fits_ && rest_.starts_with(c); }
  bool take(char c) noexcept {
    const bool there = next_is(c);
    if (there) rest_.remove_prefix(1);
    return there;
  }
  void need(char c) noexcept { fits_ = take(c); }
  /// A number of `least` to `most` digits, within `from` and `to`.
  [[nodiscard]] std::int64_t number(std::size_t least, std::size_t most, std::int64_t from, std::int64_t to) noexcept {
    const std::string_view digits = take_digits();
    std::int64_t value = 0;
    fits_ = fits_ && digits.size() >= least && digits.size() <= most;
    if (!fits_) return from;
    for (const char c : digits)
      value = value * 10 + (c - '0');
    fits_ = value >= from && value <= to;
    return value;
  }
  /// What follows a decimal point, in nanoseconds; 0 when there is no point.
  [[nodiscard]] std::int32_t fraction() noexcept {
    if (!take('.')) return 0;
    const std::string_view digits = take_digits();
    fits_ = fits_ && !digits.empty() && digits.size() <= 9;
    std::int32_t nanos = 0;
    for (std::size_t i = 0; fits_ && i < 9; ++i)
      nanos = nanos * 10 + (i < digits.size() ? digits[i] - '0' : 0);
    return nanos;
  }

 private:
  [[nodiscard]] std::string_view take_digits() noexcept {
    const std::string_view digits = rest_.substr(0, std::min(rest_.find_first_not_of("0123456789"), rest_.size()));
    rest_.remove_prefix(digits.size());
    return digits;
  }

  std::string_view rest_;
  bool fits_ = true;
};

void append_fraction(std::string& to, std::int32_t nanos) {
  if (nanos == 0) return;
  std::array<char, 16> digits{};
  std::snprintf(digits.data(), digits.size(), ".%09d", nanos);
  to.append(digits.data(), nanos % 1'000'000 == 0 ? 4 : nanos % 1'000 == 0 ? 7 : 10);
}

}  // namespace

std::optional<time_parts> timestamp_from(std::string_view text) noexcept {
  text_reader in{text};
  const auto year = in.number(4, 4, 1, 9999);
  in.need('-');
  const auto month = in.number(2, 2, 1, 12);
  in.need('-');
  const auto day = in.number(2, 2, 1, 31);
  in.need('T');
  const auto hour = in.number(2, 2, 0, 23);
  in.need(':');
  const auto minute = in.number(2, 2, 0, 59);
  in.need(':');
  const auto second = in.number(2, 2, 0, 59);
  const std::int32_t nanos = in.fraction();
  std::int64_t offset = 0;
  if (!in.take('Z')) {
    const bool west = in.next_is('-');
    in.need(west ? '-' : '+');
    offset = in.number(2, 2, 0, 23) * 3600;
    in.need(':');
    offset += in.number(2, 2, 0, 59) * 60;
    if (west) offset = -offset;
  }
  if (!in.done()) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(year)},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok()) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
  const std::int64_t seconds = days * day_in_seconds + hour * 3600 + minute * 60 + second - offset;
  if (seconds < timestamp_least || seconds > timestamp_most) return std::nullopt;
  return time_parts{seconds, nanos};
}

bool append_timestamp(std::string& to, time_parts time) {
  if (time.seconds < timestamp_least || time.seconds > timestamp_most) return false;
  if (time.nanos < 0 || time.nanos >= second_in_nanos) return false;
  const std::chrono::sys_seconds when{std::chrono::seconds{time.seconds}};
  const auto midnight = std::chrono::floor<std::chrono::days>(when);
  const std::chrono::year_month_day date{midnight};
  const std::chrono::hh_mm_ss clock{when - midnight};
  std::array<char, 80> text{};
  const int size = std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d",
                                 static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                                 static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                                 static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()));
  to.append(text.data(), static_cast<std::size_t>(size));
  append_fraction(to, time.nanos);
  to += 'Z';
  return true;
}

std::optional<time_parts> duration_from(std::string_view text) noexcept {
  text_reader in{text};
  const bool negative = in.take('-');
  time_parts time;
  time.seconds = in.number(1, 12, 0, duration_most);
  time.nanos = in.fraction();
  in.need('s');
  if (!in.done()) return std::nullopt;
  if (time.seconds == duration_most && time.nanos != 0) return std::nullopt;
  if (negative) {
    time.seconds = -time.seconds;
    time.nanos = -time.nanos;
  }
  return time;
}

bool append_duration(std::string& to, time_parts time) {
  if (time.seconds < -duration_most || time.seconds > duration_most) return false;
  if (time.nanos <= -second_in_nanos || time.nanos >= second_in_nanos) return false;
  if ((time.seconds < 0 && time.nanos > 0) || (time.seconds > 0 && time.nanos < 0)) return false;
  if (time.seconds < 0 || time.nanos < 0) to += '-';
  to.append(std::to_string(time.seconds < 0 ? -time.seconds : time.seconds));
  append_fraction(to, time.nanos < 0 ? -time.nanos : time.nanos);
  to += 's';
  return true;
}

std::string field_mask_path_from(std::string_view text) {
  std::string path;
  for (const char c : text) {
    if (c >= 'A' && c <= 'Z') {
      path += '_';
      path += static_cast<char>(c - 'A' + 'a');
    } else {
      path += c;
    }
  }
  return path;
}

bool append_field_mask_path(std::string& to, std::string_view path) {
  for (std::size_t i = 0; i < path.size(); ++i) {
    const char c = path[i];
    if (c >= 'A' && c <= 'Z') return false;
    const char next = i + 1 < path.size() ? path[i + 1] : '\0';
    // Before anything but a small letter it stays, as the reader lets it.
    if (c == '_' && next >= 'a' && next <= 'z') {
      to += static_cast<char>(next - 'a' + 'A');
      ++i;
    } else {
      to += c;
    }
  }
  return true;
}

}  // namespace grove::json_internal
