// SPDX-License-Identifier: Apache-2.0
// Load: what is counted, what is verified, and what stays behind.
#include <gmock/gmock.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <set>

#include "tests/unit/client/cli_fixture.h"

namespace grove::cli {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(cli_test, bench_counts_what_it_sends_and_verifies_it) {
  EXPECT_EQ(grove({"bench", "-n", "1000", "-c", "3", "-d", "7", "-k", "50", "--threads", "2", "--verify"}), 0);
  EXPECT_THAT(out, AllOf(HasSubstr("1,000"), HasSubstr("p99.9"),
                         HasSubstr("verified  yes: the sum over 50 keys is 1,000; adds: 1,000 acknowledged")));
  EXPECT_EQ(actors.sum(), 1000);
}

TEST_F(cli_test, bench_notices_an_acknowledged_add_that_is_not_there) {
  actors.change([](test::fake_server& server) {
    server.on_request = [next = server.on_request, forgotten = false](auto& from,
                                                                      const wire::request_view& request) mutable {
      if (request.method == "Add" && !std::exchange(forgotten, true)) return from.respond(request.id, "\x08\x01");
      next(from, request);
    };
  });
  EXPECT_EQ(grove({"bench", "-n", "100", "-c", "1", "-k", "5", "--verify"}), 1);
  EXPECT_THAT(err, HasSubstr("not verified: the sum over all keys is 99 and 100 adds were acknowledged"));
}

TEST_F(cli_test, bench_cleans_the_actors_that_it_went_to_and_else_says_that_they_stay) {
  std::set<std::string> reset;
  actors.change([&reset](test::fake_server& server) {
    server.on_request = [&reset, next = server.on_request](auto& from, const wire::request_view& request) {
      if (request.method != "Reset") return next(from, request);
      reset.emplace(request.key);
      from.respond(request.id, "");
    };
  });
  EXPECT_EQ(grove({"bench", "-n", "20", "-c", "2", "-d", "4", "-k", "1000000", "--prefix", "mine-"}), 0);
  EXPECT_THAT(out, AllOf(HasSubstr("actors, grove.Counter mine-...; --clean empties them")));
  EXPECT_TRUE(reset.empty());
  EXPECT_EQ(grove({"bench", "-n", "20", "-c", "2", "-d", "4", "-k", "3", "--prefix", "mine-", "--clean"}), 0);
  EXPECT_THAT(out, HasSubstr("emptied   3 of 3 actors"));
  actors.change([&reset](test::fake_server&) { EXPECT_THAT(reset, ElementsAre("mine-0", "mine-1", "mine-2")); });
  EXPECT_EQ(grove({"bench", "--type", "grove.Echo", "--method", "Echo", "--clean"}), 2);
  EXPECT_THAT(err, HasSubstr("--clean can remove what grove.Counter Add and grove.Map Set leave"));
}

TEST_F(cli_test, bench_sends_its_timeout_as_the_deadline_of_each_request) {
  std::atomic<std::uint64_t> least{UINT64_MAX};
  std::atomic<std::uint64_t> most{0};
  actors.change([&](test::fake_server& server) {
    server.on_request = [&, next = server.on_request](auto& from, const wire::request_view& request) {
      if (request.method != "Add") return next(from, request);
      least = std::min(least.load(), request.remaining_microseconds);
      most = std::max(most.load(), request.remaining_microseconds);
      from.fail(request.id, status_code::deadline_exceeded, "too late", outcome::not_executed);
    };
  });
  EXPECT_EQ(grove({"bench", "-n", "40", "-c", "2", "--timeout", "1500ms"}), 1);
  EXPECT_EQ(least, 1'500'000U);
  EXPECT_EQ(most, 1'500'000U);
  EXPECT_THAT(out, AllOf(HasSubstr("40 x DEADLINE_EXCEEDED (not executed): too late"), Not(HasSubstr("lost"))));
}

TEST_F(cli_test, bench_that_is_interrupted_prints_what_it_has_measured) {
  actors.change([](test::fake_server& server) {
    server.on_request = [next = server.on_request, requests = 0](auto& from,
                                                                 const wire::request_view& request) mutable {
      next(from, request);
      if (request.method == "Add" && ++requests == 500) ::kill(::getpid(), SIGINT);
    };
  });
  EXPECT_EQ(grove({"bench", "--duration", "1h", "-c", "2"}), 130);
  EXPECT_THAT(out, AllOf(HasSubstr("interrupted: this is what was measured until then"), HasSubstr("requests/s"),
                         HasSubstr("p99")));
  EXPECT_EQ(err, "");
}

TEST_F(cli_test, bench_that_is_interrupted_does_not_wait_for_answers_that_do_not_come) {
  actors.change([](test::fake_server& server) {
    server.on_request = [next = server.on_request, requests = 0](auto& from,
                                                                 const wire::request_view& request) mutable {
      if (request.method != "Add" || requests < 64) next(from, request);
      if (request.method == "Add" && ++requests == 100) ::kill(::getpid(), SIGINT);
    };
  });
  EXPECT_EQ(grove({"bench", "--duration", "1h", "-c", "2", "-d", "32", "--json"}), 130);
  EXPECT_THAT(out, AllOf(HasSubstr(R"("interrupted":true)"), HasSubstr(R"("lost_connections":0)"),
                         HasSubstr("interrupted before the answer came")));
}

TEST_F(cli_test, bench_in_the_open_loop_sends_what_is_due) {
  EXPECT_EQ(grove({"bench", "--rate", "10000", "-n", "500", "-c", "4", "--json"}), 0);
  EXPECT_THAT(out,
              AllOf(HasSubstr(R"("loop":"open")"), HasSubstr(R"("acknowledged":500,)"), HasSubstr(R"("failed":0,)")));
}

TEST_F(cli_test, bench_counts_failures_by_code_and_outcome) {
  EXPECT_EQ(grove({"bench", "--method", "Reset", "-n", "20", "-c", "2"}), 1);
  EXPECT_THAT(out, HasSubstr("20 x FAILED_PRECONDITION (executed): this one stays"));
  EXPECT_THAT(err, HasSubstr("no request succeeded"));
}

TEST_F(cli_test, bench_survives_a_connection_that_breaks) {
  actors.change([](test::fake_server& server) {
    server.on_request = [next = server.on_request, requests = 0](auto& from,
                                                                 const wire::request_view& request) mutable {
      if (++requests == 50) return from.drop();
      if (!from.closed) next(from, request);
    };
  });
  EXPECT_EQ(grove({"bench", "-n", "200", "-c", "2", "-d", "4"}), 0);
  EXPECT_THAT(out, AllOf(HasSubstr("UNAVAILABLE (unknown)"), HasSubstr("lost connections  1")));
}

TEST_F(cli_test, bench_keeps_only_actors_in_which_a_request_has_run_or_may_have) {
  const auto adds_fail = [this](outcome known) {
    actors.change([known](test::fake_server& server) {
      server.on_request = [known, next = server.on_request](auto& from, const wire::request_view& request) {
        if (request.method != "Add") return next(from, request);
        from.fail(request.id, status_code::resource_exhausted, "full", known);
      };
    });
    EXPECT_EQ(grove({"bench", "-n", "20", "-c", "1", "-d", "4", "-k", "1"}), 1);
  };
  adds_fail(outcome::not_executed);
  EXPECT_THAT(out, AllOf(HasSubstr("20 x RESOURCE_EXHAUSTED (not executed): full"), Not(HasSubstr("kept"))));
  EXPECT_EQ(grove({"bench", "-n", "20", "-c", "1", "-d", "4", "-k", "1", "--clean"}), 1);
  EXPECT_THAT(out, HasSubstr("emptied   0 of 0 actors"));
  adds_fail(outcome::unknown);
  EXPECT_THAT(out, HasSubstr("kept      1 actors"));
  adds_fail(outcome::executed);
  EXPECT_THAT(out, HasSubstr("kept      1 actors"));
}

TEST_F(cli_test, bench_keeps_the_actors_whose_answers_were_lost_with_a_connection) {
  actors.change([](test::fake_server& server) {
    server.on_request = [next = server.on_request, lost = false](auto& from,
                                                                 const wire::request_view& request) mutable {
      if (request.method != "Add") return next(from, request);
      if (!std::exchange(lost, true)) return from.drop();
      if (!from.closed) from.fail(request.id, status_code::resource_exhausted, "full", outcome::not_executed);
    };
  });
  EXPECT_EQ(grove({"bench", "-n", "20", "-c", "1", "-d", "1", "-k", "1"}), 1);
  EXPECT_THAT(out, AllOf(HasSubstr("1 x UNAVAILABLE (unknown)"), HasSubstr("kept      1 actors")));
}

}  // namespace
}  // namespace grove::cli
