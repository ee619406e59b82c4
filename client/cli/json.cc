// SPDX-License-Identifier: Apache-2.0
#include "client/cli/json.h"

// protobuf's own JSON reader judges; what is here tells a person what it means, in the words of the message's fields.
// Its complaints come in a few fixed forms:
//   (path) name: Cannot find field.
//   (path): invalid value V for type T
//   path: Proto field is not repeating, cannot start list.
//   : invalid value Starting an object on a scalar field for type NAME
//   : invalid value oneof field '_NAME' is already set. ...
//   : Root element must be a message.
// and anything else is a complaint about the syntax, with the place marked on the lines below.

#include <google/protobuf/descriptor.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <istream>
#include <iterator>
#include <vector>

#include "base/nearest.h"
#include "client/cli/environment.h"

namespace grove::cli {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

constexpr std::size_t input_bytes_max = 16U << 20U;
/// protobuf's reader goes no deeper.
constexpr std::uint32_t reader_depth_max = 100;

[[nodiscard]] std::string all_of(std::istream& in, const std::string& what) {
  std::string text;
  std::array<char, 65'536> piece{};
  while (in.read(piece.data(), piece.size()) || in.gcount() > 0) {
    text.append(piece.data(), static_cast<std::size_t>(in.gcount()));
    if (text.size() > input_bytes_max) throw wrong_usage(what + " is larger than 16 MiB");
  }
  return text;
}

[[nodiscard]] const FieldDescriptor* field_of(const Descriptor& type, std::string_view name) {
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor* field = type.field(i);
    if (field->name() == name || field->json_name() == name) return field;
  }
  return nullptr;
}

/// The field at the end of a path like "nested.list[3].name"; null when the path is not understood.
[[nodiscard]] const FieldDescriptor* resolve(const Descriptor& root, std::string_view path) {
  const Descriptor* type = &root;
  const FieldDescriptor* field = nullptr;
  while (!path.empty()) {
    const auto dot = path.find('.');
    std::string_view step = path.substr(0, dot);
    path = dot == std::string_view::npos ? std::string_view{} : path.substr(dot + 1);
    step = step.substr(0, step.find('['));
    if (type == nullptr) return nullptr;
    field = field_of(*type, step);
    if (field == nullptr) return nullptr;
    type = field->message_type();
  }
  return field;
}

[[nodiscard]] std::string type_of(const FieldDescriptor& field) {
  if (field.is_map()) return "map";
  std::string name;
  if (field.type() == FieldDescriptor::TYPE_MESSAGE) {
    name = field.message_type()->full_name();
  } else if (field.type() == FieldDescriptor::TYPE_ENUM) {
    name = "one of";
    for (int i = 0; i < field.enum_type()->value_count(); ++i) {
      name.append(i == 0 ? " " : ", ").append(field.enum_type()->value(i)->name());
    }
  } else {
    name = field.type_name();
  }
  return field.is_repeated() ? "list of " + name : name;
}

[[nodiscard]] std::string unknown_field(const Descriptor& type, std::string_view name) {
  std::vector<std::string_view> names;
  names.reserve(static_cast<std::size_t>(type.field_count()));
  for (int i = 0; i < type.field_count(); ++i)
    names.emplace_back(type.field(i)->json_name());
  std::string text = "there is no field \"" + std::string{name} + "\" in " + type.full_name();
  if (const std::string_view near = nearest(name, names); !near.empty()) {
    text.append("; did you mean \"").append(near).append("\"?");
  } else if (names.empty()) {
    return text + "; it has no fields";
  } else {
    text += '.';
  }
  text += names.size() == 1 ? " Its field:" : " Its fields:";
  for (int i = 0; i < type.field_count(); ++i) {
    text.append(i == 0 ? " " : ", ").append(names[static_cast<std::size_t>(i)]);
    text.append(" (").append(type_of(*type.field(i))).append(")");
  }
  return text;
}

[[nodiscard]] std::string wrong_value(const Descriptor& root, std::string_view path, std::string_view what) {
  std::string text = "field \"" + std::string{path} + "\": " + std::string{what};
  // Of a map's or a list's element the field itself is what a person knows.
  if (const FieldDescriptor* field = resolve(root, path)) text += "; it takes " + type_of(*field);
  return text;
}

/// What lies between two marks; empty when they are not there.
[[nodiscard]] std::string_view between(std::string_view text, std::string_view from, std::string_view to) {
  const auto begin = text.find(from);
  if (begin == std::string_view::npos) return {};
  const auto end = text.find(to, begin + from.size());
  if (end == std::string_view::npos) return {};
  return text.substr(begin + from.size(), end - begin - from.size());
}

[[nodiscard]] std::string explain(const Descriptor& root, std::string_view complaint) {
  if (const auto at = complaint.find(": Cannot find field."); at != std::string_view::npos) {
    const std::string_view path = complaint.front() == '(' ? between(complaint, "(", ")") : std::string_view{};
    const auto space = path.empty() ? std::string_view::npos : complaint.find(") ");
    const std::string_view name =
        space == std::string_view::npos ? complaint.substr(0, at) : complaint.substr(space + 2, at - space - 2);
    const FieldDescriptor* parent = path.empty() ? nullptr : resolve(root, path);
    const Descriptor* type = parent != nullptr ? parent->message_type() : &root;
    return unknown_field(type != nullptr ? *type : root, name);
  }
  if (complaint.find("Root element must be a message") != std::string_view::npos) {
    return "the JSON must be an object, {...}, of " + root.full_name();
  }
  if (complaint.find("Starting an object on a scalar field") != std::string_view::npos) {
    const std::string_view name = complaint.substr(complaint.rfind(' ') + 1);
    return wrong_value(root, name, "an object does not fit");
  }
  if (const std::string_view twice = between(complaint, "oneof field '", "' is already set"); !twice.empty()) {
    const std::string_view name = twice.front() == '_' ? twice.substr(1) : between(complaint, "Cannot set '", "'");
    return wrong_value(root, name, "it is set twice, or together with a field that excludes it");
  }
  if (const auto at = complaint.find(": Proto field is not repeating"); at != std::string_view::npos) {
    return wrong_value(root, complaint.substr(0, at), "a list does not fit");
  }
  if (complaint.starts_with('(')) {
    const std::string_view path = between(complaint, "(", ")");
    const std::string_view value = between(complaint, "invalid value ", " for type ");
    return wrong_value(root, path, std::string{value} + " does not fit");
  }
  // The text is followed by where it went wrong, and a mark below: nothing to see at the end of what was given.
  const auto end = complaint.find("\n\n");
  return "this is not JSON: " + std::string{complaint.substr(0, end)};
}

}  // namespace

std::string json_from(const std::string& argument, std::istream& in) {
  if (argument.empty()) return "{}";
  if (argument == "-") return all_of(in, "the standard input");
  if (argument.front() != '@') return argument;
  const std::string path = argument.substr(1);
  std::ifstream file{path, std::ios::binary};
  if (!file) throw wrong_usage("cannot read the file " + path);
  return all_of(file, path);
}

json_depth depth_of(std::string_view json) noexcept {
  json_depth deepest;
  std::uint32_t objects = 0;
  std::uint32_t all = 0;
  char quote = 0;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (quote != 0) {
      if (c == '\\') ++i;
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '{' || c == '[') {
      deepest.all = std::max(deepest.all, ++all);
      if (c == '{') deepest.objects = std::max(deepest.objects, ++objects);
    } else if (c == '}' || c == ']') {
      if (all > 0) --all;
      if (c == '}' && objects > 0) --objects;
    }
  }
  return deepest;
}

status read_json(std::string_view json, std::uint32_t nesting_max, google::protobuf::Message& into) {
  const json_depth depth = depth_of(json);
  if (depth.objects > nesting_max + 1 || depth.all > reader_depth_max) {
    const bool servers = depth.objects > nesting_max + 1;
    return {status_code::invalid_argument,
            "the JSON is nested " + std::to_string(servers ? depth.objects - 1 : depth.all) + " levels deep; " +
                (servers ? "the server's limit nesting is " + std::to_string(nesting_max)
                         : "the limit is " + std::to_string(reader_depth_max) + " objects and lists")};
  }
  const auto read = google::protobuf::util::JsonStringToMessage({json.data(), json.size()}, &into);
  if (read.ok()) return {};
  const std::string complaint{read.message().data(), read.message().size()};
  return {status_code::invalid_argument, explain(*into.GetDescriptor(), complaint)};
}

std::string write_json(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  std::string text;
  const auto written = google::protobuf::util::MessageToJsonString(message, &text, options);
  if (!written.ok()) throw call_failed({status_code::internal, written.ToString()}, outcome::executed);
  return text;
}

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      std::array<char, 8> code{};
      std::snprintf(code.data(), code.size(), "\\u%04x", static_cast<unsigned>(static_cast<unsigned char>(c)));
      out += code.data();
    } else {
      out += c;
    }
  }
  return out + "\"";
}

}  // namespace grove::cli
