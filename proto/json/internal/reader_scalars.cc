// SPDX-License-Identifier: Apache-2.0
// The scalar values of JSON: numbers and their texts, truth, enums, strings and bytes. A map's key is the text of one.
#include <google/protobuf/descriptor.h>

#include <limits>
#include <utility>

#include "proto/json/internal/base64.h"
#include "proto/json/internal/reader.h"

namespace grove::json_internal {

using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::Reflection;

namespace {

/// Sets the field, or adds to its list.
template <class Value>
void put(Message& into, const FieldDescriptor& field, Value value,
         void (Reflection::*set)(Message*, const FieldDescriptor*, Value) const,
         void (Reflection::*add)(Message*, const FieldDescriptor*, Value) const) {
  const Reflection& reflection = *into.GetReflection();
  (reflection.*(field.is_repeated() ? add : set))(&into, &field, std::move(value));
}

}  // namespace

template <class Number>
bool reader::number(Number& to, const FieldDescriptor& field, place at) {
  if (is(at, kind::boolean)) return misfit(field, at);
  const number_fault fault = number_from(in_.text(at), to);
  return fault == number_fault::none || misfit(field, at, words_for(fault));
}

template <class Real>
bool reader::real(Real& to, const FieldDescriptor& field, place at) {
  if (is(at, kind::string)) {
    const std::string_view text = in_.text(at);
    const bool negative = text == "-Infinity";
    if (negative || text == "Infinity") {
      to = negative ? -std::numeric_limits<Real>::infinity() : std::numeric_limits<Real>::infinity();
      return true;
    }
    if (text == "NaN") {
      to = std::numeric_limits<Real>::quiet_NaN();
      return true;
    }
  }
  return number(to, field, at);
}

bool reader::scalar(Message& into, const FieldDescriptor& field, place at) {
  std::int32_t small = 0;
  std::uint32_t natural = 0;
  std::int64_t large = 0;
  std::uint64_t large_natural = 0;
  float single_precision = 0;
  double double_precision = 0;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      if (!number(small, field, at)) return false;
      put(into, field, small, &Reflection::SetInt32, &Reflection::AddInt32);
      return true;
    case FieldDescriptor::CPPTYPE_UINT32:
      if (!number(natural, field, at)) return false;
      put(into, field, natural, &Reflection::SetUInt32, &Reflection::AddUInt32);
      return true;
    case FieldDescriptor::CPPTYPE_INT64:
      if (!number(large, field, at)) return false;
      put(into, field, large, &Reflection::SetInt64, &Reflection::AddInt64);
      return true;
    case FieldDescriptor::CPPTYPE_UINT64:
      if (!number(large_natural, field, at)) return false;
      put(into, field, large_natural, &Reflection::SetUInt64, &Reflection::AddUInt64);
      return true;
    case FieldDescriptor::CPPTYPE_FLOAT:
      if (!real(single_precision, field, at)) return false;
      put(into, field, single_precision, &Reflection::SetFloat, &Reflection::AddFloat);
      return true;
    case FieldDescriptor::CPPTYPE_DOUBLE:
      if (!real(double_precision, field, at)) return false;
      put(into, field, double_precision, &Reflection::SetDouble, &Reflection::AddDouble);
      return true;
    case FieldDescriptor::CPPTYPE_BOOL:
      return boolean(into, field, at);
    case FieldDescriptor::CPPTYPE_ENUM:
      return enumeration(into, field, at);
    case FieldDescriptor::CPPTYPE_STRING:
      return text(into, field, at);
    case FieldDescriptor::CPPTYPE_MESSAGE:
      break;
  }
  return misfit(field, at);
}

bool reader::boolean(Message& into, const FieldDescriptor& field, place at) {
  bool truth = is(at, kind::boolean) && in_[at].is_true;
  if (is(at, kind::key) || is(at, kind::string)) {
    truth = in_.text(at) == "true";
    if (!truth && in_.text(at) != "false") return misfit(field, at);
  } else if (!is(at, kind::boolean)) {
    return misfit(field, at);
  }
  put(into, field, truth, &Reflection::SetBool, &Reflection::AddBool);
  return true;
}

bool reader::enumeration(Message& into, const FieldDescriptor& field, place at) {
  const EnumDescriptor& type = *field.enum_type();
  std::int32_t number = 0;
  if (is(at, kind::null)) {
    number = 0;  // NullValue's only one.
  } else if (const EnumValueDescriptor* named =
                 is(at, kind::string) ? type.FindValueByName(std::string{in_.text(at)}) : nullptr) {
    number = named->number();
  } else if (is(at, kind::boolean) || number_from(in_.text(at), number) != number_fault::none) {
    return misfit(field, at);
  } else if (type.FindValueByNumber(number) == nullptr && type.file()->syntax() != FileDescriptor::SYNTAX_PROTO3) {
    return misfit(field, at);  // Only the enums of proto3 are open.
  }
  put(into, field, int{number}, &Reflection::SetEnumValue, &Reflection::AddEnumValue);
  return true;
}

bool reader::text(Message& into, const FieldDescriptor& field, place at) {
  if (!is(at, kind::string) && !is(at, kind::key)) return misfit(field, at);
  std::string content{in_.text(at)};
  if (field.type() == FieldDescriptor::TYPE_BYTES) {
    auto bytes = from_base64(content);
    if (!bytes) return misfit(field, at, "is no base64");
    content = std::move(*bytes);
  }
  put(into, field, std::move(content), &Reflection::SetString, &Reflection::AddString);
  return true;
}

}  // namespace grove::json_internal
