// SPDX-License-Identifier: Apache-2.0
#include "proto/json/internal/number_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

namespace grove::json_internal {
namespace {

/// A decimal number taken apart: the digits of `whole` and `fraction` after each other, times ten to the `exponent`.
struct decimal {
  bool negative = false;
  std::string_view whole;
  std::string_view fraction;
  std::int64_t exponent = 0;

  [[nodiscard]] std::size_t digits() const noexcept { return whole.size() + fraction.size(); }
  [[nodiscard]] char digit(std::size_t i) const noexcept {
    return i < whole.size() ? whole[i] : fraction[i - whole.size()];
  }
};

[[nodiscard]] std::string_view take_digits(std::string_view& rest) noexcept {
  const auto end = std::min(rest.find_first_not_of("0123456789"), rest.size());
  const std::string_view digits = rest.substr(0, end);
  rest.remove_prefix(end);
  return digits;
}

/// Beyond this no exponent makes a difference, and sums of it do not overflow.
constexpr std::int64_t exponent_max = std::int64_t{1} << 40U;

[[nodiscard]] std::optional<decimal> take_apart(std::string_view rest) noexcept {
  decimal number;
  const auto take = [&rest](char c) {
    const bool there = rest.starts_with(c);
    if (there) rest.remove_prefix(1);
    return there;
  };
  number.negative = take('-');
  number.whole = take_digits(rest);
  if (number.whole.empty() || (number.whole.size() > 1 && number.whole.front() == '0')) return std::nullopt;
  if (take('.')) {
    number.fraction = take_digits(rest);
    if (number.fraction.empty()) return std::nullopt;
  }
  if (take('e') || take('E')) {
    const bool negative = take('-');
    if (!negative) (void)take('+');
    const std::string_view digits = take_digits(rest);
    if (digits.empty()) return std::nullopt;
    for (const char c : digits)
      number.exponent = std::min(exponent_max, number.exponent * 10 + (c - '0'));
    if (negative) number.exponent = -number.exponent;
  }
  if (!rest.empty()) return std::nullopt;
  number.exponent -= static_cast<std::int64_t>(number.fraction.size());
  return number;
}

/// The number without its sign.
[[nodiscard]] number_fault magnitude_of(const decimal& number, std::uint64_t& to) noexcept {
  std::size_t end = number.digits();
  std::int64_t exponent = number.exponent;
  while (end > 0 && number.digit(end - 1) == '0') {
    --end;
    ++exponent;
  }
  to = 0;
  if (end == 0) return number_fault::none;
  if (exponent < 0) return number_fault::not_whole;
  for (std::size_t i = 0; i < end; ++i) {
    const auto digit = static_cast<std::uint64_t>(number.digit(i) - '0');
    if (__builtin_mul_overflow(to, std::uint64_t{10}, &to) || __builtin_add_overflow(to, digit, &to)) {
      return number_fault::out_of_range;
    }
  }
  for (; exponent > 0; --exponent) {
    if (__builtin_mul_overflow(to, std::uint64_t{10}, &to)) return number_fault::out_of_range;
  }
  return number_fault::none;
}

template <class Integer>
[[nodiscard]] number_fault integer_from(std::string_view text, Integer& to) noexcept {
  const auto number = take_apart(text);
  if (!number) return number_fault::no_number;
  std::uint64_t magnitude = 0;
  if (const number_fault fault = magnitude_of(*number, magnitude); fault != number_fault::none) return fault;
  const std::uint64_t most = static_cast<std::uint64_t>(std::numeric_limits<Integer>::max());
  const std::uint64_t least = std::is_signed_v<Integer> ? most + 1 : 0;
  if (magnitude > (number->negative ? least : most)) return number_fault::out_of_range;
  to = static_cast<Integer>(number->negative ? std::uint64_t{0} - magnitude : magnitude);
  return number_fault::none;
}

/// The power of ten of the first digit that counts; nothing for zero.
[[nodiscard]] std::optional<std::int64_t> magnitude_exponent(const decimal& number) noexcept {
  for (std::size_t i = 0; i < number.digits(); ++i) {
    if (number.digit(i) != '0') return number.exponent + static_cast<std::int64_t>(number.digits() - i) - 1;
  }
  return std::nullopt;
}

template <class Real>
[[nodiscard]] number_fault real_from(std::string_view text, Real& to) noexcept {
  const auto number = take_apart(text);
  if (!number) return number_fault::no_number;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), to);
  if (error != std::errc::result_out_of_range) return number_fault::none;
  // Which way it is outside is not said.
  if (const auto exponent = magnitude_exponent(*number); exponent && *exponent > 0) return number_fault::out_of_range;
  to = number->negative ? -Real{0} : Real{0};
  return number_fault::none;
}

template <class Real>
void append_real(std::string& to, Real value) {
  std::array<char, 40> text{};
  const int enough = std::numeric_limits<Real>::digits10;
  for (const int digits : {enough, sizeof(Real) == sizeof(double) ? enough + 2 : enough + 3}) {
    const auto [end, error] =
        std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::general, digits);
    const std::string_view made{text.data(), static_cast<std::size_t>(end - text.data())};
    Real again{};
    std::from_chars(made.data(), made.data() + made.size(), again);
    if (again != value && digits == enough) continue;
    to.append(made);
    return;
  }
}

}  // namespace

number_fault number_from(std::string_view text, std::int64_t& to) noexcept {
  return integer_from(text, to);
}
number_fault number_from(std::string_view text, std::uint64_t& to) noexcept {
  return integer_from(text, to);
}
number_fault number_from(std::string_view text, std::int32_t& to) noexcept {
  return integer_from(text, to);
}
number_fault number_from(std::string_view text, std::uint32_t& to) noexcept {
  return integer_from(text, to);
}
number_fault number_from(std::string_view text, double& to) noexcept {
  return real_from(text, to);
}
number_fault number_from(std::string_view text, float& to) noexcept {
  return real_from(text, to);
}

std::string_view words_for(number_fault fault) noexcept {
  switch (fault) {
    case number_fault::none:
      break;
    case number_fault::no_number:
      return "is no number";
    case number_fault::not_whole:
      return "is no whole number";
    case number_fault::out_of_range:
      return "is out of range";
  }
  return {};
}

void append_number(std::string& to, double value) {
  append_real(to, value);
}
void append_number(std::string& to, float value) {
  append_real(to, value);
}

}  // namespace grove::json_internal
