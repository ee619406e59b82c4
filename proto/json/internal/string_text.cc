// SPDX-License-Identifier: Apache-2.0
#include "proto/json/internal/string_text.h"

#include <algorithm>
#include <cstdint>

#include "base/text.h"

namespace grove::json_internal {
namespace {

void append_unit(std::string& to, std::uint32_t unit) {
  to += "\\u";
  for (const unsigned shift : {12U, 8U, 4U, 0U})
    to += "0123456789abcdef"[unit >> shift & 15U];
}

void append_escaped(std::string& to, char32_t code) {
  static constexpr std::string_view named = "\"\\\b\f\n\r\t";
  static constexpr std::string_view names = "\"\\bfnrt";
  const auto at = code < 0x80 ? named.find(static_cast<char>(code)) : std::string_view::npos;
  if (at != std::string_view::npos) {
    to += '\\';
    to += names[at];
  } else if (code < 0x10000) {
    append_unit(to, code);
  } else {
    append_unit(to, 0xd800U + ((code - 0x10000U) >> 10U));
    append_unit(to, 0xdc00U + ((code - 0x10000U) & 0x3ffU));
  }
}

}  // namespace

void append_string(std::string& to, std::string_view text) {
  to.reserve(to.size() + text.size() + 2);
  to += '"';
  while (!text.empty()) {
    const auto [code, bytes] = first_character(text);
    if (bytes == 0) {
      to += "\xef\xbf\xbd";
    } else if (code == '"' || code == '\\' || !is_printable(code)) {
      append_escaped(to, code);
    } else {
      to.append(text.substr(0, bytes));
    }
    text.remove_prefix(std::max<std::size_t>(bytes, 1));
  }
  to += '"';
}

std::string beginning_of(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return std::string{text};
  return std::string{cut_text(text, bytes_max)} + "...";
}

}  // namespace grove::json_internal
