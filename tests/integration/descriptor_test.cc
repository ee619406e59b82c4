// SPDX-License-Identifier: Apache-2.0
// A worker that has no descriptor left: nobody waits without a word, and it serves again when it has some.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/support/descriptor_shortage.h"
#include "tests/support/server_process.h"
#include "tests/support/wire_client.h"

namespace grove::test {
namespace {

using testing::HasSubstr;

// Above the ones that a worker has opened, and below those that it was born with.
constexpr rlim_t few_descriptors = 40;

// More than those leave room for.
constexpr int many_clients = 100;

void leave_few_descriptors(pid_t worker) {
  rlimit limit{};
  ASSERT_EQ(::prlimit(worker, RLIMIT_NOFILE, nullptr, &limit), 0);
  limit.rlim_cur = few_descriptors;
  ASSERT_EQ(::prlimit(worker, RLIMIT_NOFILE, &limit, nullptr), 0);
}

v1::Envelope hello_for(std::uint32_t worker) {
  v1::Envelope hello;
  hello.mutable_hello()->set_version(1);
  hello.mutable_hello()->set_wanted_worker(worker);
  return hello;
}

/// Connects clients that want this worker until one gets what is no Welcome of that worker's, and returns that.
v1::Envelope first_other_answer(const server_process& server, std::uint32_t worker,
                                std::vector<std::unique_ptr<wire_client>>& clients) {
  for (int i = 0; i < many_clients; ++i) {
    wire_client& client = *clients.emplace_back(std::make_unique<wire_client>(server.address()));
    client.send(hello_for(worker));
    v1::Envelope answer = client.next();
    if (!answer.has_welcome() || answer.welcome().worker() != worker) return answer;
  }
  ADD_FAILURE() << "all clients were welcomed";
  return {};
}

TEST(server_without_descriptors, refuses_with_the_limit_and_serves_again_when_it_has_some) {
  if (is_misjudged_without_descriptors) GTEST_SKIP() << misjudged_without_descriptors;
  server_process server{{.workers = 1}};
  leave_few_descriptors(server.worker_pid(0));
  std::vector<std::unique_ptr<wire_client>> clients;
  const v1::Envelope refused = first_other_answer(server, 0, clients);
  EXPECT_EQ(refused.refusal().code(), 8U);
  EXPECT_THAT(refused.refusal().message(), HasSubstr("(EMFILE; this process may have 40: ulimit -n, LimitNOFILE=)"));
  server.process().wait_for_line("no connection can be accepted: Too many open files (EMFILE");
  const std::string metrics = http_get(server.admin(), "/metrics");
  EXPECT_THAT(metrics, HasSubstr("grove_out_of_descriptors{worker=\"0\"} 1\n"));
  EXPECT_THAT(metrics, HasSubstr("grove_connections_refused_total{worker=\"0\"} 1\n"));
  clients.clear();
  server.process().wait_for_line("connections can be accepted again");
  wire_client client{server.address()};
  EXPECT_EQ(client.greet().worker(), 0U);
}

TEST(worker_without_descriptors, gets_no_connections_handed_over) {
  if (is_misjudged_without_descriptors) GTEST_SKIP() << misjudged_without_descriptors;
  server_process server{{.workers = 2}};
  leave_few_descriptors(server.worker_pid(1));
  std::vector<std::unique_ptr<wire_client>> clients;
  v1::Envelope answer = first_other_answer(server, 1, clients);
  // The one that took its last descriptor was told so; whoever comes after it stays where it is.
  if (answer.has_refusal()) answer = first_other_answer(server, 1, clients);
  EXPECT_EQ(answer.welcome().worker(), 0U) << answer.refusal().message();
  EXPECT_THAT(http_get(server.admin(), "/metrics"), HasSubstr("grove_handoffs_lost_total{worker=\"1\"} 0\n"));
}

}  // namespace
}  // namespace grove::test
