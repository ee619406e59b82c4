// SPDX-License-Identifier: Apache-2.0
// The messages of google.protobuf that have a form of their own in JSON.
#include <google/protobuf/message.h>

#include <memory>

#include "proto/json/internal/field_by_number.h"
#include "proto/json/internal/reader.h"
#include "proto/json/internal/time_text.h"

namespace grove::json_internal {

using google::protobuf::Reflection;

bool reader::any(Message& into, place at) {
  if (!is(at, kind::object)) return misfit(at, "does not fit; it takes an object with \"@type\"");
  if (in_[at].end == at + 1) return true;
  place type = 0;
  for (place key = at + 1; key != in_[at].end; key = next_of(key)) {
    if (in_.text(key) != "@type") continue;
    if (type != 0) return fail(key, "\"@type\" is there twice");
    type = value_of(key);
  }
  if (type == 0) return fail(at, "an Any needs \"@type\", such as \"type.googleapis.com/NAME.OF.TYPE\"");
  if (!is(type, kind::string)) return misfit(type, "is no text; \"@type\" is \"type.googleapis.com/NAME.OF.TYPE\"");
  const level one{*this};
  return depth_ > nesting_max_ ? too_deep(at) : any_content(into, at, type);
}

bool reader::any_content(Message& into, place at, place type) {
  const std::string_view url = in_.text(type);
  const auto slash = url.rfind('/');
  if (slash == std::string_view::npos) {
    return misfit(type, "has no '/'; \"@type\" is \"type.googleapis.com/NAME.OF.TYPE\"");
  }
  const Descriptor* known =
      into.GetDescriptor()->file()->pool()->FindMessageTypeByName(std::string{url.substr(slash + 1)});
  if (known == nullptr) return misfit(type, "names a type that the server has not described");
  const Reflection& reflection = *into.GetReflection();
  const std::unique_ptr<Message> content{reflection.GetMessageFactory()->GetPrototype(known)->New()};
  if (known->well_known_type() == Descriptor::WELLKNOWNTYPE_UNSPECIFIED) {
    if (!object(*content, at, any_type::skip)) return false;
  } else {
    place found = 0;
    for (place key = at + 1; key != in_[at].end; key = next_of(key)) {
      if (in_.text(key) == "@type") continue;
      if (in_.text(key) != "value") return misfit(key, "does not fit; beside \"@type\" it takes \"value\"");
      if (found != 0) return fail(key, "\"value\" is there twice");
      found = value_of(key);
    }
    if (found == 0) return fail(at, "an Any of " + known->full_name() + " needs \"value\"");
    const field_path::step here{path_, "value"};
    if (!message(*content, found)) return false;
  }
  reflection.SetString(&into, field_of(into, 1), std::string{url});
  reflection.SetString(&into, field_of(into, 2), content->SerializePartialAsString());
  return true;
}

bool reader::time(Message& into, place at) {
  const bool is_point = into.GetDescriptor()->well_known_type() == Descriptor::WELLKNOWNTYPE_TIMESTAMP;
  std::optional<time_parts> read;
  if (is(at, kind::string)) read = is_point ? timestamp_from(in_.text(at)) : duration_from(in_.text(at));
  if (!read) {
    return misfit(at, is_point ? "is no time of the years 1 to 9999, such as \"2026-01-02T03:04:05.678Z\""
                               : "is no duration up to 315576000000s, such as \"1.5s\"");
  }
  const Reflection& reflection = *into.GetReflection();
  reflection.SetInt64(&into, field_of(into, 1), read->seconds);
  reflection.SetInt32(&into, field_of(into, 2), read->nanos);
  return true;
}

bool reader::field_mask(Message& into, place at) {
  if (!is(at, kind::string)) return misfit(at, "does not fit; it takes paths, such as \"name,address.street\"");
  std::string_view rest = in_.text(at);
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    const std::string_view path = rest.substr(0, comma);
    if (path.empty() || comma == rest.size() - 1) return misfit(at, "has an empty path");
    into.GetReflection()->AddString(&into, field_of(into, 1), field_mask_path_from(path));
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
  }
  return true;
}

bool reader::value(Message& into, place at) {
  const Reflection& reflection = *into.GetReflection();
  switch (in_[at].what) {
    case kind::null:
      reflection.SetEnumValue(&into, field_of(into, 1), 0);
      return true;
    case kind::number:
      return scalar(into, *field_of(into, 2), at);
    case kind::string:
      return scalar(into, *field_of(into, 3), at);
    case kind::boolean:
      return scalar(into, *field_of(into, 4), at);
    case kind::object:
      return nested(*reflection.MutableMessage(&into, field_of(into, 5)), at);
    case kind::array:
      return nested(*reflection.MutableMessage(&into, field_of(into, 6)), at);
    case kind::key:
      break;
  }
  return misfit(at, "does not fit");
}

bool reader::list_value(Message& into, place at) {
  if (!is(at, kind::array)) return misfit(at, "does not fit; it takes a list");
  return list(into, *field_of(into, 1), at);
}

}  // namespace grove::json_internal
