// SPDX-License-Identifier: Apache-2.0
#include "client/cli/pretty_json.h"

#include <cstddef>

namespace grove::cli {
namespace {

[[nodiscard]] bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/// Where the string that begins at `from` ends, its quote included.
[[nodiscard]] std::size_t string_end(std::string_view json, std::size_t from) {
  std::size_t at = from + 1;
  while (at < json.size() && json[at] != '"')
    at += json[at] == '\\' ? 2 : 1;
  return at + 1;
}

[[nodiscard]] std::size_t next_token(std::string_view json, std::size_t from) {
  while (from < json.size() && is_space(json[from]))
    ++from;
  return from;
}

}  // namespace

std::string indented(std::string_view json) {
  std::string out;
  std::size_t level = 0;
  const auto new_line = [&] { out.append("\n").append(2 * level, ' '); };
  for (std::size_t at = next_token(json, 0); at < json.size(); at = next_token(json, at)) {
    const char c = json[at];
    if (c == '"') {
      const std::size_t end = string_end(json, at);
      out += json.substr(at, end - at);
      at = end;
      continue;
    }
    const std::size_t after = next_token(json, ++at);
    if (c == '{' || c == '[') {
      out += c;
      if (after < json.size() && (json[after] == '}' || json[after] == ']')) {
        out += json[after];
        at = after + 1;
        continue;
      }
      ++level;
      new_line();
    } else if (c == '}' || c == ']') {
      --level;
      new_line();
      out += c;
    } else {
      out += c;
      if (c == ',') new_line();
      if (c == ':') out += ' ';
    }
  }
  return out;
}

}  // namespace grove::cli
