// SPDX-License-Identifier: Apache-2.0
#include "server/version.h"

namespace grove::server {

const std::string_view version = GROVE_VERSION;

}  // namespace grove::server
