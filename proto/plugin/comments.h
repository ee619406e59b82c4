// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/descriptor.h>

#include <string>

namespace grove::plugin {

/// The comments of a file and of all that it imports but protobuf's own: an encoded FileDescriptorSet with each file's
/// name and the places in its source_code_info that have a comment. Descriptors that are compiled in lack them.
[[nodiscard]] std::string encoded_comments(const google::protobuf::FileDescriptor& file);

/// Bytes as C++ string literals, one a line.
[[nodiscard]] std::string as_literals(const std::string& bytes);

}  // namespace grove::plugin
