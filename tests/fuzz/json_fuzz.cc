// SPDX-License-Identifier: Apache-2.0
// The bytes are JSON as a person might type it. Whatever they are, the reader ends with a message or with an error that has
// a text; and what it has read can be printed, and reads the same again.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/text.h"
#include "json_trial.pb.h"
#include "proto/json/mapping.h"

namespace {

using namespace grove;

[[nodiscard]] std::string printed(const trial::Kinds& message) {
  std::string text;
  const status written = append_message_as_json(text, message);
  GROVE_CHECK(written.ok(), written.message());
  GROVE_CHECK(is_utf8(text));
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  trial::Kinds message;
  const status read = message_from_json({reinterpret_cast<const char*>(data), size}, 32, message);
  if (!read.ok()) {
    GROVE_CHECK(read.code() == status_code::invalid_argument);
    GROVE_CHECK(!read.message().empty() && read.message().size() < 8'192);
    return 0;
  }
  const std::string text = printed(message);
  trial::Kinds again;
  const status back = message_from_json(text, json_nesting_max, again);
  GROVE_CHECK(back.ok(), back.message());
  GROVE_CHECK(printed(again) == text);
  return 0;
}
