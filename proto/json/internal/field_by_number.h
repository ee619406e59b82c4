// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

namespace grove::json_internal {

/// A field of one of protobuf's own types, which have their fields for ever.
[[nodiscard]] inline const google::protobuf::FieldDescriptor* field_of(const google::protobuf::Message& message,
                                                                       int number) {
  return message.GetDescriptor()->FindFieldByNumber(number);
}

}  // namespace grove::json_internal
