// SPDX-License-Identifier: Apache-2.0
#include "worker/io/resolve.h"

#include <gtest/gtest.h>
#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <asio/ip/tcp.hpp>
#include <memory>
#include <string>
#include <vector>

#include "tests/unit/io/threads_fixture.h"
#include "worker/io/thread_pool.h"
#include "worker/tasks/timeout.h"

namespace grove {
namespace {

using namespace std::chrono_literals;

/// Answers when it is allowed to.
class slow_names final : public name_source {
 public:
  std::vector<socket_address> addresses(const name_query& query) override {
    door.pass();
    if (query.host == "nowhere.invalid") {
      throw std::system_error(EAI_NONAME, getaddrinfo_category(), query.host + ":" + query.service);
    }
    sockaddr_in found{};
    found.sin_family = AF_INET;
    found.sin_port = htons(443);
    return {socket_address(reinterpret_cast<const sockaddr*>(&found), sizeof found)};
  }
  resolved_name name(const socket_address& of, const reverse_options&) override {
    door.pass();
    return {"host of " + of.text(), "service"};
  }
  gate door;
};

class resolving : public threads_fixture {
 protected:
  std::shared_ptr<slow_names> names = std::make_shared<slow_names>();
};

std::vector<std::string> texts(const std::vector<socket_address>& addresses) {
  std::vector<std::string> all;
  for (const socket_address& at : addresses)
    all.push_back(at.text());
  return all;
}

TEST_F(resolving, answers_numbers_without_a_thread) {
  // In the hub's own context, where nothing may wait.
  EXPECT_EQ(texts(resolve("192.0.2.1", "80")), std::vector<std::string>{"192.0.2.1:80"});
  EXPECT_EQ(texts(resolve("2001:db8::1", "443", {.kind = socket_kind::datagram})),
            std::vector<std::string>{"[2001:db8::1]:443"});
  EXPECT_EQ(texts(resolve("192.0.2.1", "")), std::vector<std::string>{"192.0.2.1:0"});
  EXPECT_EQ(texts(resolve("", "80", {.family = address_family::ipv4, .use = address_use::listen})),
            std::vector<std::string>{"0.0.0.0:80"});
  EXPECT_EQ(texts(resolve("", "80", {.family = address_family::ipv6})), std::vector<std::string>{"[::1]:80"});
  const socket_address at = resolve("192.0.2.1", "80")[0];
  const resolved_name numbers = reverse_resolve(at, {.host = name_form::number});
  EXPECT_EQ(numbers.host, "192.0.2.1");
  EXPECT_EQ(numbers.service, "80");
  EXPECT_EQ(at.as<asio::ip::tcp::endpoint>().address().to_string(), "192.0.2.1");
  EXPECT_EQ(at.as<asio::ip::tcp::endpoint>().port(), 80);
  EXPECT_EQ(at, resolve("192.0.2.1", "80")[0]);
  EXPECT_EQ(thread_pool::of(loop).threads(), 0U);
}

TEST_F(resolving, finds_the_loopback_by_name) {
  thread_pool threads;
  resolver system(threads);
  run([&] {
    const auto found = system.resolve("localhost", "80");
    ASSERT_FALSE(found.empty());
    for (const socket_address& at : found) {
      EXPECT_TRUE(at.host() == "127.0.0.1" || at.host() == "::1") << at.text();
      EXPECT_EQ(at.port(), 80);
    }
    EXPECT_FALSE(system.reverse(found[0]).host.empty());
    EXPECT_EQ(threads.threads(), 1U);
  });
}

TEST_F(resolving, says_what_was_looked_for_when_it_fails) {
  thread_pool threads;
  resolver system(threads);
  run([&] {
    // Nobody is asked for a name so long, and so it matters neither which name servers there are nor what they say; the
    // C library has more than one error for it.
    const std::string no_name = std::string(64, 'x') + ".invalid";
    try {
      (void)system.resolve(no_name, "80");
      ADD_FAILURE();
    } catch (const std::system_error& error) {
      EXPECT_NE(std::string(error.what()).find("\"" + no_name + "\", service \"80\""), std::string::npos)
          << error.what();
    }
    try {
      (void)system.resolve(std::string_view("127.0.0.1\0.invalid", 18), "80");
      ADD_FAILURE();
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code(), std::error_code(EAI_NONAME, getaddrinfo_category()));
    }
    EXPECT_THROW((void)system.resolve("localhost", "no-such-service"), std::system_error);
    EXPECT_THROW((void)system.resolve("", ""), std::system_error);
    EXPECT_THROW((void)system.reverse(socket_address()), std::system_error);
  });
  EXPECT_STREQ(getaddrinfo_category().name(), "getaddrinfo");
}

TEST_F(resolving, lets_others_run_while_an_answer_is_slow) {
  thread_pool threads;
  resolver slow(threads, names);
  auto found = spawn([&] { return texts(slow.resolve("somewhere.invalid", "https")); });
  auto missing = spawn([&] { EXPECT_THROW((void)slow.resolve("nowhere.invalid", "https"), std::system_error); });
  run([&] {
    yield();
    EXPECT_EQ(threads.calls(), 2U);
    names->door.open();
    EXPECT_EQ(found->get(), std::vector<std::string>{"0.0.0.0:443"});
    missing->get();
    EXPECT_EQ(slow.reverse(resolve("192.0.2.1", "80")[0]).host, "host of 192.0.2.1:80");
  });
}

TEST_F(resolving, ends_with_a_timeout_and_forgets_the_answer) {
  thread_pool threads({.threads_max = 1});
  run([&] {
    {
      resolver slow(threads, names);
      EXPECT_EQ(with_timeout(0s, [&] { return slow.resolve("somewhere.invalid", "https"); }), std::nullopt);
    }
    EXPECT_EQ(threads.calls(), 1U);
    names->door.open();
    while (threads.calls() > 0)
      yield();
  });
  EXPECT_EQ(names.use_count(), 1);
}

}  // namespace
}  // namespace grove
