// SPDX-License-Identifier: Apache-2.0
#include "server/service_links.h"

#include <gtest/gtest.h>

#include <initializer_list>

namespace grove::server {
namespace {

struct variable {
  const char* name;
  const char* value;
};

TEST(service_links, are_the_variables_of_a_service_whose_name_begins_with_grove) {
  for (const auto& [name, value] : std::initializer_list<variable>{{"GROVE_SERVICE_HOST", "10.0.0.1"},
                                                                   {"GROVE_SERVICE_HOST", "fd00::1"},
                                                                   {"GROVE_SERVICE_PORT", "7400"},
                                                                   {"GROVE_SERVICE_PORT_HTTP", "80"},
                                                                   {"GROVE_PORT", "tcp://10.0.0.1:7400"},
                                                                   {"GROVE_PORT_7400_TCP", "tcp://10.0.0.1:7400"},
                                                                   {"GROVE_PORT_7400_TCP_ADDR", "10.0.0.1"},
                                                                   {"GROVE_PORT_7400_TCP_PORT", "7400"},
                                                                   {"GROVE_PORT_53_UDP_PROTO", "udp"},
                                                                   {"GROVE_PORT_9_SCTP", "sctp://[fd00::1]:9"},
                                                                   {"GROVE_NODES_SERVICE_HOST", "10.0.0.1"},
                                                                   {"GROVE_PORT_NODES_PORT_7400_TCP_PORT", "7400"},
                                                                   {"GROVE_SERVICE_PORT_SERVICE_HOST", "10.0.0.1"},
                                                                   {"GROVE__PORT", "tcp://10.0.0.1:7400"}}) {
    EXPECT_TRUE(is_service_link(name, value)) << name << '=' << value;
  }
}

TEST(service_links, are_not_settings_or_slips_of_them) {
  for (const auto* name : {"GROVE_WORKERS", "GROVE_LISTEN", "GROVE_", "GROVE", "PORT", "GROVE_SERVICE", "GROVE_PORTS",
                           "GROVE_PORT_", "GROVE_PORT_TCP", "GROVE_PORT_7400", "GROVE_PORT_7400_",
                           "GROVE_PORT_7400_TCPS", "GROVE_PORT_74X0_TCP", "GROVE_SERVICE_HOSTS", "GROVE_SERVICE_PORTAL",
                           "GROVE_EXPORT", "XGROVE_SERVICE_HOST", "GROVE_SERVICE_HOST_NAME"}) {
    for (const auto* value : {"7400", "10.0.0.1", "tcp", "tcp://10.0.0.1:7400"})
      EXPECT_FALSE(is_service_link(name, value)) << name << '=' << value;
  }
}

TEST(service_links, have_values_that_nobody_would_give_to_a_setting) {
  for (const auto& [name, value] : std::initializer_list<variable>{{"GROVE_PORT", "7400"},
                                                                   {"GROVE_PORT", "10.0.0.1:7400"},
                                                                   {"GROVE_PORT", "tcp://"},
                                                                   {"GROVE_SERVICE_HOST", "localhost"},
                                                                   {"GROVE_SERVICE_PORT", "http"},
                                                                   {"GROVE_SERVICE_PORT", ""},
                                                                   {"GROVE_PORT_7400_TCP", "7400"}}) {
    EXPECT_FALSE(is_service_link(name, value)) << name << '=' << value;
  }
}

}  // namespace
}  // namespace grove::server
