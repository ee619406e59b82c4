// SPDX-License-Identifier: Apache-2.0
#include "server/listeners.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <optional>

namespace grove::server {
namespace {

using testing::HasSubstr;

std::string error(const host_port& where) {
  try {
    (void)listen_on(where, "--listen");
  } catch (const listen_error& failure) {
    return failure.what();
  }
  return "no error";
}

TEST(listeners, port_0_lets_the_kernel_choose_and_says_which) {
  const listener one = listen_on({"127.0.0.1", 0}, "--listen");
  EXPECT_EQ(one.address.host, "127.0.0.1");
  EXPECT_NE(one.address.port, 0);
}

TEST(listeners, a_name_is_resolved_to_its_ipv4_address_first) {
  EXPECT_EQ(listen_on({"localhost", 0}, "--listen").address.host, "127.0.0.1");
}

TEST(listeners, a_taken_port_is_named_with_what_to_do) {
  const listener one = listen_on({"127.0.0.1", 0}, "--listen");
  const std::string text = error(one.address);
  EXPECT_THAT(text, HasSubstr("cannot listen on " + one.address.to_string() + ": the address is already in use"));
  EXPECT_THAT(text, HasSubstr("--listen HOST:PORT"));
}

TEST(listeners, a_taken_port_is_tried_again_for_as_long_as_is_wanted) {
  std::optional<listener> holder = listen_on({"127.0.0.1", 0}, "--listen");
  const host_port address = holder->address;
  int attempts = 0;
  const listener next = listen_on(address, "--listen", [&] {
    if (++attempts == 3) holder.reset();
    return true;
  });
  EXPECT_EQ(next.address, address);
  EXPECT_EQ(attempts, 3);
  int given_up = 2;
  EXPECT_THROW((void)listen_on(address, "--listen", [&] { return --given_up > 0; }), listen_error);
  EXPECT_EQ(given_up, 0);
}

// An orphaned worker has no more than a copy of its dead supervisor's listener.
TEST(listeners, a_listener_that_was_shut_down_is_no_obstacle_though_somebody_has_it_open) {
  const listener orphaned = listen_on({"127.0.0.1", 0}, "--listen");
  ASSERT_EQ(::shutdown(orphaned.fd.get(), SHUT_RD), 0);
  EXPECT_EQ(listen_on(orphaned.address, "--listen").address, orphaned.address);
}

TEST(listeners, only_a_taken_port_is_tried_again) {
  bool asked = false;
  EXPECT_THROW((void)listen_on({"192.0.2.1", 0}, "--listen", [&] { return asked = true; }), listen_error);
  EXPECT_FALSE(asked);
}

TEST(listeners, an_address_of_another_machine_is_refused) {
  // 192.0.2.0/24 is for documentation and belongs to nobody.
  EXPECT_THAT(error({"192.0.2.1", 0}), HasSubstr("no interface of this machine has that address"));
}

TEST(listeners, a_host_without_an_address_is_named) {
  EXPECT_THAT(error({"no.such.host.invalid", 0}), HasSubstr("the host 'no.such.host.invalid' has no address"));
}

}  // namespace
}  // namespace grove::server
