// SPDX-License-Identifier: Apache-2.0
#include "proto/json/mapping.h"

#include <algorithm>

#include "base/limit_text.h"
#include "proto/json/document.h"
#include "proto/json/internal/reader.h"
#include "proto/json/internal/string_text.h"
#include "proto/json/internal/writer.h"

namespace grove {

status message_from_json(std::string_view json, std::uint32_t nesting_max, google::protobuf::Message& into) {
  const std::uint32_t levels = std::min(nesting_max, json_nesting_max);
  json_document document;
  // A message takes two levels of the text at most, its list or map and itself; what is a little deeper still gets an
  // error that names the field.
  const std::string reason = ", which no message has; " + limit_text("nesting", levels);
  if (status wrong = document.parse(json, 2 * levels + 4, reason); !wrong.ok()) return wrong;
  json_internal::reader reader{document, levels};
  return reader.read(into);
}

status append_message_as_json(std::string& to, const google::protobuf::Message& message) {
  return json_internal::writer{to, json_nesting_max}.write(message);
}

void append_json_string(std::string& to, std::string_view text) {
  json_internal::append_string(to, text);
}

}  // namespace grove
