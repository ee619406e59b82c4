// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/descriptor.h>

#include <string>

namespace grove::cli {

/// JSON that a message takes, with a value for each of its fields; of a oneof for the first. Where messages contain
/// themselves it stops.
[[nodiscard]] std::string example_json(const google::protobuf::Descriptor& message);

}  // namespace grove::cli
