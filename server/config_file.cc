// SPDX-License-Identifier: Apache-2.0
#include "server/internal/config_file.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <sstream>

namespace grove::server::detail {
namespace {

struct located_setting {
  std::uint32_t line;
  setting what;
};

/// Numbers are written anew: TOML++ would write those of another base as the file has them.
std::string text_of_node(const toml::node& node) {
  if (const auto* string = node.as_string()) return string->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  std::ostringstream text;
  node.visit([&text](const auto& value) { text << value; });
  return std::move(text).str();
}

void flatten(const toml::table& table, const std::string& prefix, const std::string& file,
             std::vector<located_setting>& out) {
  for (const auto& [key, node] : table) {
    const std::string name = prefix + std::string{key.str()};
    const std::uint32_t line = key.source().begin.line;
    const std::string origin = fmt::format("{}:{}", file, line);
    const toml::table* const inner = node.as_table();
    if (inner == nullptr) {
      out.push_back({line, {name, text_of_node(node), origin}});
    } else if (inner->empty()) {
      out.push_back({line, {name + ".", {}, origin}});
    } else {
      flatten(*inner, name + ".", file, out);
    }
  }
}

}  // namespace

std::optional<std::string> read_settings(std::string_view text, const std::string& file, std::vector<setting>& out) {
  std::vector<located_setting> found;
  try {
    flatten(toml::parse(text, file), "", file, found);
  } catch (const toml::parse_error& failure) {
    return fmt::format("{}:{}: not TOML: {}", file, failure.source().begin.line, failure.description());
  }
  std::ranges::stable_sort(found, {}, &located_setting::line);
  for (located_setting& one : found)
    out.push_back(std::move(one.what));
  return std::nullopt;
}

}  // namespace grove::server::detail
