// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

namespace grove::cli {

enum class align : bool { left, right };

/// Rows under a header, in columns as wide as they need to be.
class table {
 public:
  struct column {
    std::string title;
    align side = align::left;
  };
  explicit table(std::vector<column> columns) : columns_{std::move(columns)} {}

  /// Cells may have any bytes, such as names that a server gives; they are shown as `printable()` has them.
  void add(std::vector<std::string> cells);

  /// The header is bold when `colour` is set.
  void print(std::ostream& out, bool colour) const;

 private:
  std::vector<column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// A bar of `width` cells, `share` (0 to 1) of it filled.
[[nodiscard]] std::string bar(double share, std::size_t width);

/// "1,234,567".
[[nodiscard]] std::string grouped(std::uint64_t number);

/// "950 ns", "12.3 us", "4.56 ms", "7.89 s".
[[nodiscard]] std::string readable_time(double nanoseconds);

}  // namespace grove::cli
