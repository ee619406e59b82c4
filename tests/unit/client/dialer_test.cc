// SPDX-License-Identifier: Apache-2.0
// Hosts with several addresses, of which some are dead, and name servers that are silent.
#include "client/dialer.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <future>

#include "base/fd.h"
#include "client/client.h"
#include "tests/unit/client/fake_server.h"
#include "tests/unit/client/loop_fixture.h"

namespace grove {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

/// An address of this machine that nobody serves, at a port that a server has at another address.
class dead_address {
 public:
  enum class kind : std::uint8_t {
    mute,    ///< Takes connections and says nothing.
    silent,  ///< Does not even answer who connects: its queue is full.
  };

  dead_address(const char* address, std::uint16_t port, kind what) : listener_{make()} {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    ::inet_pton(AF_INET, address, &at.sin_addr);
    const auto* const any = reinterpret_cast<const sockaddr*>(&at);
    EXPECT_EQ(::bind(listener_.get(), any, sizeof at), 0);
    EXPECT_EQ(::listen(listener_.get(), what == kind::mute ? 16 : 0), 0);
    if (what == kind::mute) return;
    for (unique_fd& each : crowd_) {
      each = make();
      (void)::connect(each.get(), any, sizeof at);
    }
  }

 private:
  static unique_fd make() { return unique_fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)}; }

  unique_fd listener_;
  std::array<unique_fd, 4> crowd_;
};

/// A name server of the test's own.
[[nodiscard]] look_up_function answers(std::vector<const char*> addresses) {
  return [addresses = std::move(addresses)](const std::string&) {
    found_addresses found;
    for (const char* each : addresses)
      found.addresses.push_back(asio::ip::make_address(each));
    return found;
  };
}

/// One that says nothing until it is destroyed.
class silent_names {
 public:
  ~silent_names() { end_.set_value(); }
  [[nodiscard]] look_up_function function() {
    return [end = end_.get_future().share(), asked = asked_](const std::string&) {
      ++*asked;
      end.wait();
      return found_addresses{{}, "too late"};
    };
  }
  [[nodiscard]] int asked() const { return *asked_; }

 private:
  std::promise<void> end_;
  std::shared_ptr<std::atomic<int>> asked_ = std::make_shared<std::atomic<int>>();
};

class dialer_test : public test::loop_fixture {
 protected:
  [[nodiscard]] client_options to(look_up_function names) {
    client_options options;
    options.servers = {{"several.test", server.address().port}};
    options.seed = 1;
    options.connection.connect_timeout = 60s;
    options.connection.attempt_delay = 1h;
    options.connection.look_up = std::move(names);
    return options;
  }
  call_result call(client& with) {
    std::optional<call_result> ended;
    call_options options;
    options.retry = false;
    with.async_call("test.Type", "key", "Method", "", options,
                    [&ended](const asio::error_code&, call_result result) { ended = std::move(result); });
    run_until([&ended] { return ended.has_value(); });
    return ended.value_or(call_result{});
  }
  void TearDown() override {
    io.restart();
    io.poll();
  }

  test::fake_server server{io};
};

TEST_F(dialer_test, a_silent_address_is_joined_by_the_next_after_the_delay) {
  const dead_address first{"127.0.0.2", server.address().port, dead_address::kind::silent};
  client_options options = to(answers({"127.0.0.2", "127.0.0.1"}));
  options.connection.attempt_delay = 1ms;
  client with{io, options};
  EXPECT_TRUE(call(with).ok());
}

TEST_F(dialer_test, an_address_that_refuses_lets_the_next_begin_at_once) {
  client with{io, to(answers({"127.0.0.3", "127.0.0.4", "127.0.0.1"}))};
  EXPECT_TRUE(call(with).ok());
}

TEST_F(dialer_test, the_next_attempt_begins_with_another_address_than_the_one_that_was_silent) {
  const dead_address first{"127.0.0.2", server.address().port, dead_address::kind::silent};
  client_options options = to(answers({"127.0.0.2", "127.0.0.1"}));
  options.connection.connect_timeout = 50ms;
  client with{io, options};
  EXPECT_THAT(call(with).status.message(), HasSubstr("cannot connect to several.test"));
  run_until([&] { return call(with).ok(); });
}

TEST_F(dialer_test, the_next_attempt_begins_with_another_address_than_the_one_that_was_no_server) {
  const dead_address first{"127.0.0.2", server.address().port, dead_address::kind::mute};
  client_options options = to(answers({"127.0.0.2", "127.0.0.1"}));
  options.connection.connect_timeout = 50ms;
  client with{io, options};
  EXPECT_THAT(call(with).status.message(), HasSubstr("no answer to the hello from several.test"));
  run_until([&] { return call(with).ok(); });
}

TEST_F(dialer_test, addresses_alternate_between_families_and_all_that_failed_are_named) {
  server.stop_listening();
  client with{io, to(answers({"127.0.0.3", "127.0.0.4", "127.0.0.3", "::1"}))};
  const std::string port = ":" + std::to_string(server.address().port);
  const std::string message = call(with).status.message();
  EXPECT_THAT(message, HasSubstr("cannot connect to several.test" + port + ": 127.0.0.3" + port + ": "));
  EXPECT_THAT(message, HasSubstr("; [::1]" + port + ": "));
  EXPECT_LT(message.find("[::1]"), message.find("127.0.0.4"));
}

TEST_F(dialer_test, a_name_that_does_not_exist_is_said_not_to_resolve) {
  client with{io, to([](const std::string&) { return found_addresses{{}, "no such name"}; })};
  EXPECT_EQ(call(with).status.message(), "cannot resolve several.test: no such name");
}

TEST_F(dialer_test, a_silent_name_server_holds_up_neither_a_call_nor_its_end_and_is_asked_once) {
  silent_names names;
  client_options options = to(names.function());
  options.connection.connect_timeout = 20ms;
  {
    client with{io, options};
    EXPECT_EQ(call(with).status.message(), "cannot resolve several.test within 20 ms");
    EXPECT_EQ(call(with).status.message(), "cannot resolve several.test within 20 ms");
  }
  run_until([&] { return names.asked() == 1; });
}

TEST_F(dialer_test, the_end_of_a_client_with_its_own_thread_does_not_wait_for_a_silent_name_server) {
  silent_names names;
  client_options options = to(names.function());
  options.connection.connect_timeout = 20ms;
  client with{options};
  EXPECT_EQ(with.connect().message(), "cannot resolve several.test within 20 ms");
}

TEST_F(dialer_test, a_client_ends_while_its_answer_is_on_its_way) {
  for (int i = 0; i < 20; ++i) {
    client with{io, to(answers({"127.0.0.1"}))};
    with.async_call("test.Type", "key", "Method", "", {}, [](const asio::error_code&, const call_result&) {});
    io.restart();
    io.poll();
  }
}

TEST(system_look_up, finds_this_machine_and_says_why_it_finds_nothing) {
  EXPECT_FALSE(system_look_up("localhost").addresses.empty());
  const found_addresses none = system_look_up("..");
  EXPECT_TRUE(none.addresses.empty());
  EXPECT_FALSE(none.error.empty());
}

}  // namespace
}  // namespace grove
