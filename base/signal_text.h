// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace grove {

/// A text in memory of the caller's, for signal handlers; what does not fit is cut off.
/// Affinity: async-signal-safe.
class signal_text {
 public:
  signal_text(char* into, std::size_t size) noexcept : into_{into}, size_{size} {}

  signal_text& add(std::string_view text) noexcept {
    const std::size_t bytes = std::min(text.size(), size_ - used_);
    if (bytes != 0) std::memcpy(into_ + used_, text.data(), bytes);
    used_ += bytes;
    return *this;
  }
  signal_text& add_number(std::uint64_t number, unsigned base = 10) noexcept {
    std::array<char, 20> digits{};
    std::size_t first = digits.size();
    do {
      digits[--first] = "0123456789abcdef"[number % base];
      number /= base;
    } while (number != 0);
    return add({digits.data() + first, digits.size() - first});
  }
  signal_text& add_hex(std::uint64_t number) noexcept { return add("0x").add_number(number, 16); }

  /// Where the next bytes go, and for how many there is room: for functions that write into memory of their caller's.
  [[nodiscard]] char* end() const noexcept { return into_ + used_; }
  [[nodiscard]] std::size_t room() const noexcept { return size_ - used_; }
  void took(std::size_t bytes) noexcept { used_ += bytes; }

  [[nodiscard]] std::string_view view() const noexcept { return {into_, used_}; }

 private:
  char* into_;
  std::size_t size_;
  std::size_t used_ = 0;
};

}  // namespace grove
