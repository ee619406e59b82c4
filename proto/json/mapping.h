// SPDX-License-Identifier: Apache-2.0
#pragma once

// Messages as JSON and back, by protobuf's mapping (https://protobuf.dev/programming-guides/json), by descriptors alone:
// it works for compiled messages and for those of a descriptor pool.
//
// Reading is strict where protobuf's own reader of this version guesses, and exact where it rounds:
// - The text must be JSON as RFC 8259 has it, in UTF-8.
// - Integers are read from their digits, never through a double: 9007199254740993.0 and 1e3 are what they say.
// - Nothing that is said twice is taken: a field (by either of its names), a member of a oneof, a key of a map.
// - A field goes by its JSON name or its name in the .proto.
//
// Printing gives one line, fields in the order of their declaration and maps in the order of their keys. Fields without
// presence are printed when they have their default value too. Extensions and unknown fields are not printed.
//
// Both recurse once a level of nesting and count levels as protobuf's decoder does (an entry of a map is one), so that
// whatever can be read can be printed. A level takes less than 1 KiB of stack.

#include <google/protobuf/message.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace grove {

/// Messages within messages, at most, whoever asks: what protobuf's decoders take by default, in all languages.
inline constexpr std::uint32_t json_nesting_max = 100;

/// Fills `into`, which is empty. `nesting_max`: messages within messages, at most; the server's limit of that name.
/// Affinity: any thread.
/// Errors: INVALID_ARGUMENT with line and column, the field's path and the reason; `into` is then filled in part.
[[nodiscard]] status message_from_json(std::string_view json, std::uint32_t nesting_max,
                                       google::protobuf::Message& into);

/// Appends a message as one line of JSON.
/// Affinity: any thread.
/// Errors: INVALID_ARGUMENT with the field's path for what JSON cannot say: an Any of a type that its pool does not have,
/// a time or a number outside of what the mapping allows. `to` then ends within the message.
[[nodiscard]] status append_message_as_json(std::string& to, const google::protobuf::Message& message);

/// Appends a JSON string, quotes included. What a terminal would act on or not show is escaped, and a byte that is no
/// UTF-8 becomes U+FFFD.
void append_json_string(std::string& to, std::string_view text);

}  // namespace grove
