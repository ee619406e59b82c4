// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/descriptor.h>

#include "proto/plugin/faults.h"
#include "proto/plugin/service_model.h"

namespace grove::plugin {

/// What is valid protobuf, but of which no C++ code can be made that compiles and works: options of the file that take
/// away what actors need, names that protobuf or this plugin would give to two things, fields with one JSON name.
void check_file(const google::protobuf::FileDescriptor& file, const file_model& model, faults& found);

}  // namespace grove::plugin
