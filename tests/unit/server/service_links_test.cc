// SPDX-License-Identifier: Apache-2.0
#include "server/service_links.h"

#include <gtest/gtest.h>

namespace grove::server {
namespace {

TEST(service_links, are_the_variables_of_a_service_whose_name_begins_with_grove) {
  for (const auto* name :
       {"GROVE_SERVICE_HOST", "GROVE_SERVICE_PORT", "GROVE_SERVICE_PORT_HTTP", "GROVE_PORT", "GROVE_PORT_7400_TCP",
        "GROVE_PORT_7400_TCP_ADDR", "GROVE_PORT_53_UDP_PROTO", "GROVE_PORT_9_SCTP", "GROVE_NODES_SERVICE_HOST",
        "GROVE_PORT_NODES_PORT_7400_TCP_PORT", "GROVE_SERVICE_PORT_SERVICE_HOST", "GROVE__PORT"}) {
    EXPECT_TRUE(is_service_link(name)) << name;
  }
}

TEST(service_links, are_not_settings_or_slips_of_them) {
  for (const auto* name : {"GROVE_WORKERS", "GROVE_LISTEN", "GROVE_", "GROVE", "PORT", "GROVE_SERVICE", "GROVE_PORTS",
                           "GROVE_PORT_", "GROVE_PORT_TCP", "GROVE_PORT_7400", "GROVE_PORT_7400_",
                           "GROVE_PORT_7400_TCPS", "GROVE_PORT_74X0_TCP", "GROVE_SERVICE_HOSTS", "GROVE_SERVICE_PORTAL",
                           "GROVE_EXPORT", "XGROVE_SERVICE_HOST", "GROVE_SERVICE_HOST_NAME"}) {
    EXPECT_FALSE(is_service_link(name)) << name;
  }
}

}  // namespace
}  // namespace grove::server
