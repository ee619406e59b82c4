// SPDX-License-Identifier: Apache-2.0
#include "proto/json/internal/writer.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "proto/json/internal/base64.h"
#include "proto/json/internal/number_text.h"
#include "proto/json/internal/string_text.h"

namespace grove::json_internal {

using google::protobuf::EnumValueDescriptor;
using google::protobuf::Reflection;

namespace {

/// Whether one key of a map comes before another: numbers by value, texts by their bytes.
[[nodiscard]] bool key_before(const Message& a, const Message& b, const FieldDescriptor& key) {
  const Reflection& of = *a.GetReflection();
  switch (key.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return of.GetInt32(a, &key) < of.GetInt32(b, &key);
    case FieldDescriptor::CPPTYPE_UINT32:
      return of.GetUInt32(a, &key) < of.GetUInt32(b, &key);
    case FieldDescriptor::CPPTYPE_INT64:
      return of.GetInt64(a, &key) < of.GetInt64(b, &key);
    case FieldDescriptor::CPPTYPE_UINT64:
      return of.GetUInt64(a, &key) < of.GetUInt64(b, &key);
    case FieldDescriptor::CPPTYPE_BOOL:
      return !of.GetBool(a, &key) && of.GetBool(b, &key);
    default:
      return of.GetString(a, &key) < of.GetString(b, &key);
  }
}

}  // namespace

status writer::write(const Message& from) {
  return message(from) ? status{} : error_;
}

bool writer::message(const Message& from) {
  switch (from.GetDescriptor()->well_known_type()) {
    case Descriptor::WELLKNOWNTYPE_ANY:
      return any(from);
    case Descriptor::WELLKNOWNTYPE_TIMESTAMP:
    case Descriptor::WELLKNOWNTYPE_DURATION:
      return time(from);
    case Descriptor::WELLKNOWNTYPE_FIELDMASK:
      return field_mask(from);
    case Descriptor::WELLKNOWNTYPE_VALUE:
      return value(from);
    case Descriptor::WELLKNOWNTYPE_LISTVALUE:
      return list(from, *from.GetDescriptor()->FindFieldByNumber(1));
    case Descriptor::WELLKNOWNTYPE_STRUCT:
      return map(from, *from.GetDescriptor()->FindFieldByNumber(1));
    case Descriptor::WELLKNOWNTYPE_UNSPECIFIED:
      return object(from);
    default:  // A wrapper: JSON has what is in it.
      return single(from, *from.GetDescriptor()->FindFieldByNumber(1), no_index);
  }
}

bool writer::nested(const Message& from) {
  if (depth_ == nesting_max_) return too_deep();
  ++depth_;
  const bool written = message(from);
  --depth_;
  return written;
}

bool writer::object(const Message& from) {
  out_ += '{';
  if (!fields(from, true)) return false;
  out_ += '}';
  return true;
}

bool writer::fields(const Message& from, bool is_first) {
  const Descriptor& type = *from.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (field.has_presence() && !from.GetReflection()->HasField(from, &field)) continue;
    if (!std::exchange(is_first, false)) out_ += ',';
    append_string(out_, field.json_name());
    out_ += ':';
    const field_path::step here{path_, field.json_name()};
    const bool written = field.is_map()        ? map(from, field)
                         : field.is_repeated() ? list(from, field)
                                               : single(from, field, no_index);
    if (!written) return false;
  }
  return true;
}

bool writer::list(const Message& from, const FieldDescriptor& field) {
  out_ += '[';
  const int size = from.GetReflection()->FieldSize(from, &field);
  for (int i = 0; i < size; ++i) {
    if (i != 0) out_ += ',';
    const field_path::step here{path_, static_cast<std::size_t>(i)};
    if (!single(from, field, i)) return false;
  }
  out_ += ']';
  return true;
}

bool writer::map(const Message& from, const FieldDescriptor& field) {
  const Reflection& reflection = *from.GetReflection();
  const FieldDescriptor& key_field = *field.message_type()->map_key();
  std::vector<const Message*> entries;
  const int size = reflection.FieldSize(from, &field);
  entries.reserve(static_cast<std::size_t>(size));
  for (int i = 0; i < size; ++i)
    entries.push_back(&reflection.GetRepeatedMessage(from, &field, i));
  std::ranges::sort(entries,
                    [&key_field](const Message* a, const Message* b) { return key_before(*a, *b, key_field); });
  out_ += '{';
  ++depth_;  // An entry is a message, too.
  for (const Message* entry : entries) {
    if (entry != entries.front()) out_ += ',';
    const std::size_t begin = out_.size();
    key(*entry, key_field);
    const std::string name = out_.substr(begin + 1, out_.size() - begin - 2);
    out_ += ':';
    const field_path::step here{path_, field_path::step::key{name}};
    if (!single(*entry, *field.message_type()->map_value(), no_index)) return false;
  }
  --depth_;
  out_ += '}';
  return true;
}

bool writer::single(const Message& from, const FieldDescriptor& field, int index) {
  if (field.message_type() == nullptr) {
    scalar(from, field, index);
    return true;
  }
  const Reflection& reflection = *from.GetReflection();
  return nested(index == no_index ? reflection.GetMessage(from, &field)
                                  : reflection.GetRepeatedMessage(from, &field, index));
}

void writer::scalar(const Message& from, const FieldDescriptor& field, int index) {
  const Reflection& of = *from.GetReflection();
  const bool one = index == no_index;
  std::string scratch;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      out_ += std::to_string(one ? of.GetInt32(from, &field) : of.GetRepeatedInt32(from, &field, index));
      break;
    case FieldDescriptor::CPPTYPE_UINT32:
      out_ += std::to_string(one ? of.GetUInt32(from, &field) : of.GetRepeatedUInt32(from, &field, index));
      break;
    // Of 64 bits JavaScript's numbers would lose some: they are texts.
    case FieldDescriptor::CPPTYPE_INT64:
      out_ += '"';
      out_ += std::to_string(one ? of.GetInt64(from, &field) : of.GetRepeatedInt64(from, &field, index));
      out_ += '"';
      break;
    case FieldDescriptor::CPPTYPE_UINT64:
      out_ += '"';
      out_ += std::to_string(one ? of.GetUInt64(from, &field) : of.GetRepeatedUInt64(from, &field, index));
      out_ += '"';
      break;
    case FieldDescriptor::CPPTYPE_FLOAT:
      real(one ? of.GetFloat(from, &field) : of.GetRepeatedFloat(from, &field, index));
      break;
    case FieldDescriptor::CPPTYPE_DOUBLE:
      real(one ? of.GetDouble(from, &field) : of.GetRepeatedDouble(from, &field, index));
      break;
    case FieldDescriptor::CPPTYPE_BOOL:
      out_ += (one ? of.GetBool(from, &field) : of.GetRepeatedBool(from, &field, index)) ? "true" : "false";
      break;
    case FieldDescriptor::CPPTYPE_ENUM:
      enumeration(field, one ? of.GetEnumValue(from, &field) : of.GetRepeatedEnumValue(from, &field, index));
      break;
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string& text = one ? of.GetStringReference(from, &field, &scratch)
                                    : of.GetRepeatedStringReference(from, &field, index, &scratch);
      if (field.type() != FieldDescriptor::TYPE_BYTES) {
        append_string(out_, text);
        break;
      }
      out_ += '"';
      append_base64(out_, text);
      out_ += '"';
      break;
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      break;
  }
}

void writer::key(const Message& entry, const FieldDescriptor& field) {
  const bool has_quotes = field.cpp_type() == FieldDescriptor::CPPTYPE_STRING ||
                          field.cpp_type() == FieldDescriptor::CPPTYPE_INT64 ||
                          field.cpp_type() == FieldDescriptor::CPPTYPE_UINT64;
  if (!has_quotes) out_ += '"';
  scalar(entry, field, no_index);
  if (!has_quotes) out_ += '"';
}

void writer::enumeration(const FieldDescriptor& field, int number) {
  const EnumValueDescriptor* named = field.enum_type()->FindValueByNumber(number);
  if (named == nullptr) {
    out_ += std::to_string(number);
  } else if (field.enum_type()->full_name() == "google.protobuf.NullValue") {
    out_ += "null";
  } else {
    append_string(out_, named->name());
  }
}

template <class Real>
void writer::real(Real value) {
  if (std::isnan(value)) {
    out_ += "\"NaN\"";
  } else if (std::isinf(value)) {
    out_ += value < 0 ? "\"-Infinity\"" : "\"Infinity\"";
  } else {
    append_number(out_, value);
  }
}

bool writer::fail(std::string_view why) {
  std::string text;
  if (!path_.empty()) text.append("field \"").append(path_.to_string()).append("\": ");
  error_ = {status_code::invalid_argument, text.append(why)};
  return false;
}

bool writer::too_deep() {
  // Its own limit: what a server with a lower one has let through is shown.
  return fail("messages nested deeper than " + std::to_string(nesting_max_) +
              " levels, the most that limits.nesting-max can be");
}

}  // namespace grove::json_internal
