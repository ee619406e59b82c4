// SPDX-License-Identifier: Apache-2.0
#pragma once

// Numbers and their texts, exactly: an integer is never a double on its way.

#include <cstdint>
#include <string>
#include <string_view>

namespace grove::json_internal {

enum class number_fault : std::uint8_t { none, no_number, not_whole, out_of_range };

/// Reads a number by JSON's grammar; 1e3, 5.0 and 120e-1 are whole.
[[nodiscard]] number_fault number_from(std::string_view text, std::int64_t& to) noexcept;
[[nodiscard]] number_fault number_from(std::string_view text, std::uint64_t& to) noexcept;
[[nodiscard]] number_fault number_from(std::string_view text, std::int32_t& to) noexcept;
[[nodiscard]] number_fault number_from(std::string_view text, std::uint32_t& to) noexcept;
/// The nearest number. One that is too near to zero is zero.
[[nodiscard]] number_fault number_from(std::string_view text, double& to) noexcept;
[[nodiscard]] number_fault number_from(std::string_view text, float& to) noexcept;

/// "is no number" and so on.
[[nodiscard]] std::string_view words_for(number_fault fault) noexcept;

/// Appends a finite number so that reading gives it back, in protobuf's form: 15 digits (6 of a float) when they
/// suffice, else 17 (9).
void append_number(std::string& to, double value);
void append_number(std::string& to, float value);

}  // namespace grove::json_internal
