// SPDX-License-Identifier: Apache-2.0
#include "proto/json/internal/field_text.h"

#include "base/nearest.h"
#include "proto/json/internal/string_text.h"

namespace grove::json_internal {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

/// A path is for people: what is longer is shortened, keys as well as the middle of deep ones.
constexpr std::size_t name_bytes_shown = 64;
constexpr std::size_t steps_shown = 16;

}  // namespace

std::string value_type_text(const FieldDescriptor& field) {
  if (field.message_type() != nullptr) return field.message_type()->full_name();
  if (field.enum_type() == nullptr) return field.type_name();
  std::string names = "one of";
  for (int i = 0; i < field.enum_type()->value_count(); ++i) {
    names.append(i == 0 ? " " : ", ").append(field.enum_type()->value(i)->name());
  }
  return names;
}

std::string type_text(const FieldDescriptor& field) {
  if (field.is_map()) return "map";
  return field.is_repeated() ? "list of " + value_type_text(field) : value_type_text(field);
}

std::string unknown_field_text(const Descriptor& type, std::string_view name) {
  std::vector<std::string_view> names;
  names.reserve(static_cast<std::size_t>(type.field_count()));
  for (int i = 0; i < type.field_count(); ++i)
    names.emplace_back(type.field(i)->json_name());
  std::string text = "there is no field ";
  append_string(text, beginning_of(name, name_bytes_shown));
  text.append(" in ").append(type.full_name());
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
    text.append(" (").append(type_text(*type.field(i))).append(")");
  }
  return text;
}

std::string field_path::to_string() const {
  std::string text;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    if (steps_.size() > steps_shown && i == steps_shown / 2) {
      text += "...";
      i = steps_.size() - steps_shown / 2;
    }
    const part& each = steps_[i];
    switch (each.kind) {
      case what::field:
        if (!text.empty()) text += '.';
        text += beginning_of(each.name, name_bytes_shown);
        break;
      case what::index:
        text.append("[").append(std::to_string(each.index)).append("]");
        break;
      case what::key:
        text += '[';
        append_string(text, beginning_of(each.name, name_bytes_shown));
        text += ']';
        break;
    }
  }
  return text;
}

}  // namespace grove::json_internal
