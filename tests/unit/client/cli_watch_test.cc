// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>

#include "tests/unit/client/cli_fixture.h"

namespace grove::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST_F(cli_test, watch_prints_a_line_an_item) {
  EXPECT_EQ(grove({"watch", "grove.Topic/news", "Subscribe"}), 0);
  EXPECT_EQ(out,
            "{\"sequence\":\"1\",\"text\":\"z\"}\n{\"sequence\":\"2\",\"text\":\"y\"}\n{\"sequence\":\"3\",\"text\":"
            "\"x\"}\n");
}

/// The first `cuts` streams lose their connection after an item.
void cut_streams(test::fake_actors& actors, int cuts) {
  actors.change([cuts](test::fake_server& server) {
    server.on_request = [next = server.on_request, cuts](auto& from, const wire::request_view& request) mutable {
      if (request.method != "Subscribe" || cuts-- <= 0) return next(from, request);
      from.item(request.id, "\x08\x09\x12\x01q");
      from.drop();
    };
  });
}

TEST_F(cli_test, watch_opens_a_stream_again_that_was_cut_and_says_that_items_may_be_missing) {
  cut_streams(actors, 2);
  EXPECT_EQ(grove({"watch", "grove.Topic/news", "Subscribe"}), 0);
  EXPECT_THAT(
      out, HasSubstr("\"sequence\":\"9\",\"text\":\"q\"}\n{\"sequence\":\"9\",\"text\":\"q\"}\n{\"sequence\":\"1\""));
  EXPECT_THAT(err, AllOf(HasSubstr("grove: the stream was cut ("), HasSubstr("connecting again, items may be missing"),
                         Not(HasSubstr("may have run"))));
}

TEST_F(cli_test, watch_that_is_not_to_reconnect_ends_with_the_stream_that_was_cut) {
  cut_streams(actors, 1);
  EXPECT_EQ(grove({"watch", "grove.Topic/news", "Subscribe", "--no-reconnect"}), 1);
  EXPECT_THAT(
      err, AllOf(HasSubstr("grove: UNAVAILABLE: "), HasSubstr("(the stream was cut)"), Not(HasSubstr("may have run"))));
}

TEST_F(cli_test, watch_does_not_reopen_a_stream_that_its_handler_has_ended) {
  actors.change([](test::fake_server& server) {
    server.on_request = [next = server.on_request](auto& from, const wire::request_view& request) {
      if (request.method != "Subscribe") return next(from, request);
      from.fail(request.id, status_code::not_found, "no such channel", outcome::executed);
    };
  });
  EXPECT_EQ(grove({"watch", "grove.Topic/news", "Subscribe"}), 1);
  EXPECT_EQ(err, "grove: NOT_FOUND: no such channel (said by the handler of grove.Topic/news)\n");
}

TEST_F(cli_test, watch_with_a_timeout_does_not_reconnect_beyond_it) {
  cut_streams(actors, 1'000'000);
  EXPECT_EQ(grove({"watch", "grove.Topic/news", "Subscribe", "--timeout", "1s"}), 1);
  EXPECT_THAT(out, HasSubstr("\"text\":\"q\""));
}

TEST_F(cli_test, watch_ends_at_a_signal_between_two_attempts) {
  actors.change([](test::fake_server& server) {
    server.on_request = [next = server.on_request, attempts = 0](auto& from,
                                                                 const wire::request_view& request) mutable {
      if (request.method != "Subscribe") return next(from, request);
      from.drop();
      if (++attempts == 3) ::kill(::getpid(), SIGINT);
    };
  });
  EXPECT_EQ(grove({"watch", "grove.Topic/news", "Subscribe"}), 130);
  EXPECT_THAT(out, IsEmpty());
  EXPECT_EQ(std::ranges::count(err, '\n'), 1) << "one line for a server that cuts what has just begun: " << err;
}

}  // namespace
}  // namespace grove::cli
