// SPDX-License-Identifier: Apache-2.0
#include "base/version.h"

namespace grove {

const std::string_view version = GROVE_VERSION;

}  // namespace grove
