// SPDX-License-Identifier: Apache-2.0
#include "client/cli/json.h"

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <istream>
#include <system_error>

#include "client/cli/environment.h"
#include "proto/json/mapping.h"

namespace grove::cli {
namespace {

constexpr std::size_t input_bytes_max = 16U << 20U;

[[nodiscard]] std::string all_of(std::istream& in, const std::string& what) {
  std::string text;
  std::array<char, 65'536> piece{};
  while (in.read(piece.data(), piece.size()) || in.gcount() > 0) {
    text.append(piece.data(), static_cast<std::size_t>(in.gcount()));
    if (text.size() > input_bytes_max) throw wrong_usage(what + " is larger than 16 MiB");
  }
  return text;
}

}  // namespace

std::string json_from(const std::string& argument, std::istream& in) {
  if (argument == "-") return all_of(in, "the standard input");
  if (!argument.starts_with('@')) return argument;
  const std::string path = argument.substr(1);
  if (path.empty()) throw wrong_usage("the name of a file is missing behind @");
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    throw wrong_usage("cannot read the file " + path + ": it is a folder");
  std::ifstream file{path, std::ios::binary};
  if (!file) throw wrong_usage("cannot read the file " + path + ": " + std::generic_category().message(errno));
  return all_of(file, path);
}

status read_json(std::string_view json, std::uint32_t nesting_max, google::protobuf::Message& into) {
  return message_from_json(json, nesting_max, into);
}

std::string write_json(const google::protobuf::Message& message) {
  std::string text;
  const status written = append_message_as_json(text, message);
  if (!written.ok()) {
    throw call_failed({status_code::internal, "the reply cannot be shown as JSON: " + written.message()},
                      outcome::executed);
  }
  return text;
}

std::string json_string(std::string_view text) {
  std::string quoted;
  append_json_string(quoted, text);
  return quoted;
}

}  // namespace grove::cli
