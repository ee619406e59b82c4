// SPDX-License-Identifier: Apache-2.0
#include "proto/json/internal/reader.h"

#include <unordered_set>
#include <vector>

#include "base/check.h"
#include "base/limit_text.h"
#include "proto/json/internal/string_text.h"

namespace grove::json_internal {

using google::protobuf::Reflection;

namespace {

constexpr std::size_t value_bytes_shown = 64;

[[nodiscard]] const FieldDescriptor* find_field(const Descriptor& type, std::string_view name) {
  // Names in the .proto are indexed; those of JSON are in few messages many.
  if (const FieldDescriptor* field = type.FindFieldByName(std::string{name})) return field;
  for (int i = 0; i < type.field_count(); ++i) {
    if (type.field(i)->json_name() == name) return type.field(i);
  }
  return nullptr;
}

}  // namespace

/// What an object has said so far.
class reader::fields_seen {
 public:
  explicit fields_seen(const Descriptor& type)
      : fields_(static_cast<std::size_t>(type.field_count())),
        oneofs_(static_cast<std::size_t>(type.oneof_decl_count())) {}

  /// False: it has been there.
  [[nodiscard]] bool add(const FieldDescriptor& field) {
    auto seen = fields_[static_cast<std::size_t>(field.index())];
    if (seen) return false;
    seen = true;
    return true;
  }
  /// The member of the field's oneof that has a value already, or null.
  [[nodiscard]] const FieldDescriptor* add_to_oneof(const FieldDescriptor& field) {
    if (field.containing_oneof() == nullptr) return nullptr;
    const FieldDescriptor*& set = oneofs_[static_cast<std::size_t>(field.containing_oneof()->index())];
    return std::exchange(set, &field);
  }

 private:
  std::vector<bool> fields_;
  std::vector<const FieldDescriptor*> oneofs_;
};

bool takes_null(const FieldDescriptor& field) {
  if (field.message_type() != nullptr) {
    return field.message_type()->well_known_type() == Descriptor::WELLKNOWNTYPE_VALUE;
  }
  return field.enum_type() != nullptr && field.enum_type()->full_name() == "google.protobuf.NullValue";
}

status reader::read(Message& into) {
  if (!message(into, 0)) return error_;
  if (!into.IsInitialized()) {
    return {status_code::invalid_argument, "what is required is not there: " + into.InitializationErrorString()};
  }
  return {};
}

bool reader::message(Message& into, place at) {
  switch (into.GetDescriptor()->well_known_type()) {
    case Descriptor::WELLKNOWNTYPE_ANY:
      return any(into, at);
    case Descriptor::WELLKNOWNTYPE_TIMESTAMP:
    case Descriptor::WELLKNOWNTYPE_DURATION:
      return time(into, at);
    case Descriptor::WELLKNOWNTYPE_FIELDMASK:
      return field_mask(into, at);
    case Descriptor::WELLKNOWNTYPE_VALUE:
      return value(into, at);
    case Descriptor::WELLKNOWNTYPE_LISTVALUE:
      return list_value(into, at);
    case Descriptor::WELLKNOWNTYPE_STRUCT:
      if (!is(at, kind::object)) return misfit(at, "does not fit");
      return map(into, *into.GetDescriptor()->FindFieldByNumber(1), at);
    case Descriptor::WELLKNOWNTYPE_UNSPECIFIED:
      return object(into, at, any_type::no);
    default:  // A wrapper: JSON has what is in it.
      return single(into, *into.GetDescriptor()->FindFieldByNumber(1), at);
  }
}

bool reader::nested(Message& into, place at) {
  const level one{*this};
  return depth_ > nesting_max_ ? too_deep(at) : message(into, at);
}

bool reader::object(Message& into, place at, any_type type) {
  if (!is(at, kind::object)) {
    if (!path_.empty()) return misfit(at, "does not fit");
    return fail(at, "the JSON must be an object, {...}, of " + into.GetDescriptor()->full_name());
  }
  fields_seen seen{*into.GetDescriptor()};
  for (place key = at + 1; key != in_[at].end; key = next_of(key)) {
    if (type == any_type::skip && in_.text(key) == "@type") continue;
    if (!member(into, key, value_of(key), seen)) return false;
  }
  return true;
}

bool reader::member(Message& into, place key, place at, fields_seen& seen) {
  const std::string_view name = in_.text(key);
  const FieldDescriptor* found = find_field(*into.GetDescriptor(), name);
  if (found == nullptr) return fail(key, unknown_field_text(*into.GetDescriptor(), name));
  const field_path::step here{path_, name};
  if (!seen.add(*found)) return fail(key, "it is there twice");
  if (is(at, kind::null) && (found->is_repeated() || !takes_null(*found))) return true;
  if (const FieldDescriptor* other = seen.add_to_oneof(*found)) {
    return fail(key, "it excludes \"" + other->json_name() + "\", which is set as well");
  }
  return field(into, *found, at);
}

bool reader::field(Message& into, const FieldDescriptor& field, place at) {
  if (!field.is_repeated()) return single(into, field, at);
  if (field.is_map() && is(at, kind::object)) return map(into, field, at);
  if (!field.is_map() && is(at, kind::array)) return list(into, field, at);
  return misfit(at, "does not fit; it takes " + type_text(field));
}

bool reader::list(Message& into, const FieldDescriptor& field, place at) {
  std::size_t index = 0;
  for (place each = at + 1; each != in_[at].end; each = in_[each].end) {
    const field_path::step here{path_, index++};
    if (!single(into, field, each)) return false;
  }
  return true;
}

bool reader::map(Message& into, const FieldDescriptor& field, place at) {
  const level entries{*this};
  if (depth_ > nesting_max_ && in_[at].end != at + 1) return too_deep(at);
  const Descriptor& type = *field.message_type();
  std::unordered_set<std::string_view> keys;
  std::unordered_set<std::string> plain_keys;  // Of numbers, which have several texts.
  const bool by_text = type.map_key()->cpp_type() == FieldDescriptor::CPPTYPE_STRING;
  for (place key = at + 1; key != in_[at].end; key = next_of(key)) {
    const field_path::step here{path_, field_path::step::key{in_.text(key)}};
    Message& entry = *into.GetReflection()->AddMessage(&into, &field);
    if (!scalar(entry, *type.map_key(), key)) return false;
    const bool fresh =
        by_text ? keys.insert(in_.text(key)).second : plain_keys.insert(entry.SerializePartialAsString()).second;
    if (!fresh) return fail(key, "the map has this key twice");
    if (!single(entry, *type.map_value(), value_of(key))) return false;
  }
  return true;
}

bool reader::single(Message& into, const FieldDescriptor& field, place at) {
  if (is(at, kind::null) && !takes_null(field)) return misfit(field, at);
  if (field.message_type() == nullptr) {
    return is(at, kind::object) || is(at, kind::array) ? misfit(field, at) : scalar(into, field, at);
  }
  const Reflection& reflection = *into.GetReflection();
  return nested(field.is_repeated() ? *reflection.AddMessage(&into, &field) : *reflection.MutableMessage(&into, &field),
                at);
}

std::string reader::shown(place at) const {
  switch (in_[at].what) {
    case kind::null:
      return "null";
    case kind::boolean:
      return in_[at].is_true ? "true" : "false";
    case kind::array:
      return "a list";
    case kind::object:
      return "an object";
    case kind::number:
      return beginning_of(in_.text(at), value_bytes_shown);
    case kind::string:
    case kind::key:
      break;
  }
  std::string text;
  append_string(text, beginning_of(in_.text(at), value_bytes_shown));
  return text;
}

bool reader::fail(place at, std::string_view why) {
  std::string text = to_string(place_in(in_.source(), in_[at].offset));
  if (!path_.empty()) text.append(", field \"").append(path_.to_string()).append("\"");
  error_ = {status_code::invalid_argument, text.append(": ").append(why)};
  return false;
}

bool reader::misfit(const FieldDescriptor& field, place at, std::string_view why) {
  return misfit(at, std::string{why}.append("; it takes ").append(value_type_text(field)));
}

bool reader::misfit(place at, std::string_view why) {
  std::string text = shown(at);
  return fail(at, text.append(" ").append(why));
}

bool reader::too_deep(place at) {
  return fail(at, "messages nested too deep; " + limit_text("nesting", nesting_max_));
}

}  // namespace grove::json_internal
