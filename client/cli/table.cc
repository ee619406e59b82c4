// SPDX-License-Identifier: Apache-2.0
#include "client/cli/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <ostream>
#include <utility>

#include "base/text.h"

namespace grove::cli {

void table::add(std::vector<std::string> cells) {
  for (std::string& cell : cells)
    cell = printable(cell);
  rows_.push_back(std::move(cells));
}

void table::print(std::ostream& out, bool colour) const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t width = columns_[i].title.size();
    for (const auto& row : rows_) {
      if (i < row.size()) width = std::max(width, row[i].size());
    }
    widths.push_back(width);
  }
  const auto line = [&](const auto& cell_of, std::size_t cells) {
    std::string text;
    for (std::size_t i = 0; i < cells; ++i) {
      const std::string& cell = cell_of(i);
      if (i != 0) text += "  ";
      text += columns_[i].side == align::right ? fmt::format("{:>{}}", cell, widths[i])
                                               : fmt::format("{:<{}}", cell, widths[i]);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    return text;
  };
  const std::string header =
      line([this](std::size_t i) -> const std::string& { return columns_[i].title; }, columns_.size());
  out << (colour ? "\033[1m" + header + "\033[0m" : header) << '\n';
  for (const auto& row : rows_) {
    out << line([&row](std::size_t i) -> const std::string& { return row[i]; }, std::min(row.size(), columns_.size()))
        << '\n';
  }
}

std::string bar(double share, std::size_t width) {
  const double filled = std::clamp(share, 0.0, 1.0) * static_cast<double>(width);
  const auto whole = static_cast<std::size_t>(std::lround(filled));
  return std::string(whole, '#') + std::string(width - whole, '.');
}

std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t i = text.size(); i > 3; i -= 3)
    text.insert(i - 3, ",");
  return text;
}

std::string readable_time(double nanoseconds) {
  static constexpr std::array<const char*, 4> units = {"ns", "us", "ms", "s"};
  std::size_t unit = 0;
  while (nanoseconds >= 1'000 && unit + 1 < units.size()) {
    nanoseconds /= 1'000;
    ++unit;
  }
  const int decimals = unit == 0 ? 0 : nanoseconds < 10 ? 2 : nanoseconds < 100 ? 1 : 0;
  return fmt::format("{:.{}f} {}", nanoseconds, decimals, units[unit]);
}

}  // namespace grove::cli
