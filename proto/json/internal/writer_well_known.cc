// SPDX-License-Identifier: Apache-2.0
// The messages of google.protobuf that have a form of their own in JSON.
#include <google/protobuf/message.h>

#include <cmath>
#include <memory>

#include "proto/json/internal/field_by_number.h"
#include "proto/json/internal/string_text.h"
#include "proto/json/internal/time_text.h"
#include "proto/json/internal/writer.h"

namespace grove::json_internal {

using google::protobuf::Reflection;

bool writer::any(const Message& from) {
  const Reflection& reflection = *from.GetReflection();
  const std::string url = reflection.GetString(from, field_of(from, 1));
  const std::string bytes = reflection.GetString(from, field_of(from, 2));
  if (url.empty() && bytes.empty()) {
    out_ += "{}";
    return true;
  }
  const auto slash = url.rfind('/');
  const Descriptor* known = slash == std::string::npos
                                ? nullptr
                                : from.GetDescriptor()->file()->pool()->FindMessageTypeByName(url.substr(slash + 1));
  std::string quoted_url;
  append_string(quoted_url, beginning_of(url, 128));
  if (known == nullptr) return fail("an Any of the type " + quoted_url + ", which is not known here");
  const std::unique_ptr<Message> content{reflection.GetMessageFactory()->GetPrototype(known)->New()};
  if (!content->ParsePartialFromString(bytes)) return fail("an Any whose bytes are no " + known->full_name());
  if (depth_ == nesting_max_) return too_deep();
  ++depth_;
  out_ += R"({"@type":)";
  append_string(out_, url);
  bool written = false;
  if (known->well_known_type() == Descriptor::WELLKNOWNTYPE_UNSPECIFIED) {
    written = fields(*content, false);
  } else {
    const field_path::step here{path_, "value"};
    out_ += R"(,"value":)";
    written = message(*content);
  }
  --depth_;
  out_ += '}';
  return written;
}

bool writer::time(const Message& from) {
  const bool is_point = from.GetDescriptor()->well_known_type() == Descriptor::WELLKNOWNTYPE_TIMESTAMP;
  const time_parts parts{from.GetReflection()->GetInt64(from, field_of(from, 1)),
                         from.GetReflection()->GetInt32(from, field_of(from, 2))};
  out_ += '"';
  const bool fits = is_point ? append_timestamp(out_, parts) : append_duration(out_, parts);
  out_ += '"';
  if (fits) return true;
  return fail(std::to_string(parts.seconds) + " s and " + std::to_string(parts.nanos) + " ns are no " +
              (is_point ? "time of the years 1 to 9999" : "duration up to 315576000000s"));
}

bool writer::field_mask(const Message& from) {
  const FieldDescriptor* paths = field_of(from, 1);
  const int size = from.GetReflection()->FieldSize(from, paths);
  std::string text;
  for (int i = 0; i < size; ++i) {
    const std::string path = from.GetReflection()->GetRepeatedString(from, paths, i);
    if (i != 0) text += ',';
    if (path.empty() || path.find(',') != std::string::npos || !append_field_mask_path(text, path)) {
      std::string quoted;
      append_string(quoted, beginning_of(path, 64));
      return fail("the path " + quoted + " of a FieldMask has no form in JSON");
    }
  }
  append_string(out_, text);
  return true;
}

bool writer::value(const Message& from) {
  const Reflection& reflection = *from.GetReflection();
  const FieldDescriptor* kind = reflection.GetOneofFieldDescriptor(from, from.GetDescriptor()->oneof_decl(0));
  if (kind == nullptr) {
    out_ += "null";
    return true;
  }
  if (kind->number() == 2 && !std::isfinite(reflection.GetDouble(from, kind))) {
    return fail("a Value that is no finite number has no form in JSON");
  }
  return single(from, *kind, no_index);
}

}  // namespace grove::json_internal
