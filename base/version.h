// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace grove {

/// The version of this build: "0.1.0".
extern const std::string_view version;

}  // namespace grove
