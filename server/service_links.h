// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace grove::server {

/// Whether an environment variable is one of those that Kubernetes sets in every container of a namespace that has a
/// Service whose name begins with "grove": GROVE_SERVICE_HOST, GROVE_MAIN_SERVICE_PORT_HTTP, GROVE_PORT,
/// GROVE_PORT_7400_TCP_ADDR and their like. The values are what tells GROVE_PORT=tcp://10.0.0.1:7400 from GROVE_PORT=7400,
/// which is a setting that somebody thought up.
[[nodiscard]] bool is_service_link(std::string_view name, std::string_view value) noexcept;

}  // namespace grove::server
