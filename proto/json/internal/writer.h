// SPDX-License-Identifier: Apache-2.0
#pragma once

// A message as JSON. Each function appends one value, recursing into what it contains; false means that `fail` has said
// why, with the path.

#include <google/protobuf/message.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "proto/json/internal/field_text.h"

namespace grove::json_internal {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

class writer {
 public:
  /// Lifetime: borrows `out`.
  writer(std::string& out, std::uint32_t nesting_max) : out_{out}, nesting_max_{nesting_max} {}

  [[nodiscard]] status write(const Message& from);

 private:
  /// Of a field that is one value, or of one in a list.
  static constexpr int no_index = -1;

  // writer.cc
  [[nodiscard]] bool message(const Message& from);
  [[nodiscard]] bool nested(const Message& from);
  [[nodiscard]] bool object(const Message& from);
  [[nodiscard]] bool fields(const Message& from, bool is_first);
  [[nodiscard]] bool list(const Message& from, const FieldDescriptor& field);
  [[nodiscard]] bool map(const Message& from, const FieldDescriptor& field);
  [[nodiscard]] bool single(const Message& from, const FieldDescriptor& field, int index);
  void scalar(const Message& from, const FieldDescriptor& field, int index);
  void key(const Message& entry, const FieldDescriptor& field);
  void enumeration(const FieldDescriptor& field, int number);
  template <class Real>
  void real(Real value);

  // writer_well_known.cc
  [[nodiscard]] bool any(const Message& from);
  [[nodiscard]] bool time(const Message& from);
  [[nodiscard]] bool field_mask(const Message& from);
  [[nodiscard]] bool value(const Message& from);

  bool fail(std::string_view why);
  bool too_deep();

  std::string& out_;
  std::uint32_t nesting_max_;
  std::uint32_t depth_ = 0;
  field_path path_;
  status error_;
};

}  // namespace grove::json_internal
