// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "tests/support/requests.h"
#include "tests/support/server_process.h"
#include "tests/support/wire_client.h"
#include "worker/greenlet/sanitizer.h"

namespace grove::test {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::Ge;
using testing::Gt;
using testing::HasSubstr;

class bench_with_workers : public testing::TestWithParam<unsigned> {};

// The sum over all counters is the number of adds that were acknowledged, however many workers share them.
TEST_P(bench_with_workers, loses_and_repeats_no_add) {
  server_process server{{.workers = GetParam()}};
  const finished_process result = server.cli({"bench", "--connections", "50", "--depth", "16", "--keys", "100000",
                                              "--requests", "200000", "--verify", "--json"});
  EXPECT_EQ(result.exit.code, 0) << result.err << result.out;
  EXPECT_THAT(result.out, HasSubstr("200000"));
}

INSTANTIATE_TEST_SUITE_P(one_two_four, bench_with_workers, testing::Values(1U, 2U, 4U));

/// Every number of this name in JSON, in their order.
std::vector<double> numbers_of(const std::string& json, const std::string& name) {
  const std::string before = "\"" + name + "\":";
  std::vector<double> found;
  for (auto at = json.find(before); at != std::string::npos; at = json.find(before, at + 1))
    found.push_back(std::stod(json.substr(at + before.size())));
  return found;
}

/// A metric of a worker, as the admin address tells it.
double metric_of(const server_process& server, const std::string& name, unsigned worker) {
  const std::string page = http_get(server.admin(), "/metrics");
  const std::string before = "\ngrove_" + name + "{worker=\"" + std::to_string(worker) + "\"} ";
  const auto at = page.find(before);
  return at == std::string::npos ? -1 : std::stod(page.substr(at + before.size()));
}

/// Asks until the metric has come to `least`; each answer is a round trip.
void wait_until(const server_process& server, const std::string& name, double least) {
  const auto give_up = time_after(std::chrono::steady_clock::now(), std::chrono::seconds{60});
  while (metric_of(server, name, 0) < least) {
    if (std::chrono::steady_clock::now() > give_up) {
      ADD_FAILURE() << name << " is at " << metric_of(server, name, 0) << " and not at " << least;
      return;
    }
  }
}

#ifdef GROVE_TSAN
constexpr int waiting_max = 2'000;  // ThreadSanitizer knows at most 8,128 stacks, and is slow with many.
#else
constexpr int waiting_max = 10'000;
#endif

/// One worker with stacks for so many turns at once, others begin when some have ended; and calls have time on a busy
/// machine.
server_settings for_many_that_wait() {
  return {.workers = 1,
          .more = {"--limits.stacks-max", std::to_string(waiting_max + 100), "--limits.call-deadline", "4m"}};
}

TEST(bench, tells_how_long_up_to_ten_thousand_waiting_actors_of_a_worker_take_together) {
  server_process server{for_many_that_wait()};
  const finished_process told = server.cli({"bench", "--scenario", "concurrency", "--json"});
  ASSERT_EQ(told.exit.code, 0) << told.err << told.out;
  EXPECT_THAT(told.out, HasSubstr("\"scenario\":\"concurrency\""));
  EXPECT_THAT(numbers_of(told.out, "actors"), ElementsAre(1, 100, 1'000, 10'000));
  EXPECT_THAT(numbers_of(told.out, "failed"), ElementsAre(0, 0, 0, 0));
  EXPECT_THAT(numbers_of(told.out, "seconds"), Each(Ge(0.1)));
  EXPECT_EQ(metric_of(server, "turns_total", 0), 1 + 100 + 1'000 + 10'000);
}

// The fact behind the figures, which a loaded machine cannot blur: so many turns are in the middle of a wait at once.
TEST(waiting_actors, do_not_hold_each_other_up_however_many_of_a_worker_wait) {
  constexpr int calls = 250;  // Each connection may have 256 unfinished ones.
  constexpr int connections = waiting_max / calls;
  server_process server{for_many_that_wait()};
  std::vector<std::unique_ptr<wire_client>> clients;
  for (int connection = 0; connection < connections; ++connection) {
    clients.push_back(std::make_unique<wire_client>(server.address()));
    clients.back()->greet();
    for (std::uint64_t id = 1; id <= calls; ++id)
      clients.back()->send(sleep_request(id, std::to_string(connection) + "/" + std::to_string(id), 60'000));
  }
  wait_until(server, "stacks_in_use", waiting_max);
  EXPECT_EQ(metric_of(server, "failed_turns_total", 0), 0);
  EXPECT_EQ(clients.front()->call("grove.Echo", "another", "Echo", "").code(), 0U);
  clients.clear();
  // Nobody wants their answers any more: they end where they wait.
  wait_until(server, "failed_turns_total", waiting_max);
  EXPECT_EQ(server.stop().exit.code, 0);
}

TEST(bench, tells_what_one_worker_computes_and_then_both) {
  server_process server{{.workers = 2}};
  const finished_process told = server.cli({"bench", "--scenario", "parallelism", "--duration", "200ms", "--json"});
  ASSERT_EQ(told.exit.code, 0) << told.err << told.out;
  EXPECT_THAT(told.out, HasSubstr("\"scenario\":\"parallelism\""));
  EXPECT_THAT(numbers_of(told.out, "workers"), ElementsAre(1, 2));
  EXPECT_THAT(numbers_of(told.out, "rounds_per_second"), ElementsAre(Gt(0), Gt(0)));
  EXPECT_THAT(numbers_of(told.out, "times_one"), ElementsAre(1, Gt(0)));
  // Each connection has four requests under way; a worker has two of its own when both compute.
  EXPECT_GE(metric_of(server, "activations_total", 0), 8);
  EXPECT_GE(metric_of(server, "activations_total", 1), 4);
}

}  // namespace
}  // namespace grove::test
