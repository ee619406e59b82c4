// SPDX-License-Identifier: Apache-2.0
#pragma once

// A JSON document into a message. Each function reads one node, recursing into what it contains; false means that
// `fail` has said why, with the place and the path.

#include <google/protobuf/message.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "proto/json/document.h"
#include "proto/json/internal/field_text.h"
#include "proto/json/internal/number_text.h"

namespace grove::json_internal {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

class reader {
 public:
  /// Lifetime: borrows `document`.
  reader(const json_document& document, std::uint32_t nesting_max) : in_{document}, nesting_max_{nesting_max} {}

  [[nodiscard]] status read(Message& into);

 private:
  /// The place of a node in the document.
  using place = std::uint32_t;
  using kind = json_document::kind;

  /// A level of messages, for as long as it lives.
  class level {
   public:
    explicit level(reader& of) : of_{of} { ++of.depth_; }
    ~level() { --of_.depth_; }
    level(const level&) = delete;
    level& operator=(const level&) = delete;

   private:
    reader& of_;
  };
  enum class any_type : bool { no, skip };
  class fields_seen;

  // reader.cc: messages by their fields.
  [[nodiscard]] bool message(Message& into, place at);
  [[nodiscard]] bool nested(Message& into, place at);
  [[nodiscard]] bool object(Message& into, place at, any_type type);
  [[nodiscard]] bool member(Message& into, place key, place at, fields_seen& seen);
  [[nodiscard]] bool field(Message& into, const FieldDescriptor& field, place at);
  [[nodiscard]] bool list(Message& into, const FieldDescriptor& field, place at);
  [[nodiscard]] bool map(Message& into, const FieldDescriptor& field, place at);
  [[nodiscard]] bool single(Message& into, const FieldDescriptor& field, place at);

  // reader_scalars.cc: `at` is a value or the key of a map.
  [[nodiscard]] bool scalar(Message& into, const FieldDescriptor& field, place at);
  [[nodiscard]] bool boolean(Message& into, const FieldDescriptor& field, place at);
  [[nodiscard]] bool enumeration(Message& into, const FieldDescriptor& field, place at);
  [[nodiscard]] bool text(Message& into, const FieldDescriptor& field, place at);
  template <class Number>
  [[nodiscard]] bool number(Number& to, const FieldDescriptor& field, place at);
  template <class Real>
  [[nodiscard]] bool real(Real& to, const FieldDescriptor& field, place at);

  // reader_well_known.cc: messages with a form of their own.
  [[nodiscard]] bool any(Message& into, place at);
  [[nodiscard]] bool any_content(Message& into, place at, place type);
  [[nodiscard]] bool time(Message& into, place at);
  [[nodiscard]] bool field_mask(Message& into, place at);
  [[nodiscard]] bool value(Message& into, place at);
  [[nodiscard]] bool list_value(Message& into, place at);

  [[nodiscard]] bool is(place at, kind what) const noexcept { return in_[at].what == what; }
  /// The value of a member behind its key.
  [[nodiscard]] static place value_of(place key) noexcept { return key + 1; }
  /// The key behind that member.
  [[nodiscard]] place next_of(place key) const noexcept { return in_[value_of(key)].end; }

  bool fail(place at, std::string_view why);
  /// "X WHY; it takes TYPE".
  bool misfit(const FieldDescriptor& field, place at, std::string_view why = "does not fit");
  /// The same of a message that is no field's.
  bool misfit(place at, std::string_view why);
  bool too_deep(place at);
  [[nodiscard]] std::string shown(place at) const;

  const json_document& in_;
  std::uint32_t nesting_max_;
  std::uint32_t depth_ = 0;
  field_path path_;
  status error_;
};

/// Whether JSON's null is a value of the field's and not its absence.
[[nodiscard]] bool takes_null(const FieldDescriptor& field);

}  // namespace grove::json_internal
