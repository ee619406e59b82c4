// SPDX-License-Identifier: Apache-2.0
// A worker that cannot be started again: its actors live with the other workers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "client/client.h"
#include "grove/v1/builtin.pb.h"
#include "tests/support/requests.h"
#include "tests/support/server_process.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/wire_client.h"

namespace grove::test {
namespace {

using testing::Each;
using testing::HasSubstr;

constexpr std::uint32_t victim = 1;
constexpr std::uint32_t survivor = 0;

/// A worker program that a test can break for a slot: then its starts end with an exit code.
class breakable_worker {
 public:
  breakable_worker() {
    std::ofstream{program()} << "#!/bin/sh\n"
                             << "[ -e " << folder_.path().string() << "/slot-$2 ] && exit $(cat "
                             << folder_.path().string() << "/slot-$2)\n"
                             << "exec " << worker_program() << " \"$@\"\n";
    EXPECT_EQ(::chmod(program().c_str(), 0700), 0);
  }

  [[nodiscard]] std::string program() const { return folder_.path() / "worker"; }
  void break_slot(unsigned slot, int exit_code) const { std::ofstream{flag(slot)} << exit_code << '\n'; }
  void mend_slot(unsigned slot) const { std::filesystem::remove(flag(slot)); }

 private:
  [[nodiscard]] std::filesystem::path flag(unsigned slot) const {
    return folder_.path() / ("slot-" + std::to_string(slot));
  }

  temporary_folder folder_;
};

/// What a counter has come to by an addition; -1: the call failed.
std::int64_t add(wire_client& client, const std::string& key) {
  const v1::Response answer = client.call("grove.Counter", key, "Add", "");
  v1::CounterValue value;
  EXPECT_EQ(answer.code(), 0U) << answer.message();
  EXPECT_TRUE(value.ParseFromString(answer.payload()));
  return answer.code() == 0 ? value.value() : -1;
}

TEST(worker_that_cannot_be_started, has_its_actors_served_by_others_until_one_of_those_ends) {
  const breakable_worker program;
  server_process server{{.workers = 2, .worker_program = program.program()}};
  wire_client with_old_map{server.address()};
  const v1::Welcome before = with_old_map.greet(survivor);
  const std::string key = keys_of(before, "grove.Counter", victim, 1).front();
  client_options options;
  options.servers = {server_address{.host = "127.0.0.1", .port = server.port()}};
  client library{options};
  ASSERT_TRUE(library.call("grove.Counter", key, "Add", "").ok());

  program.break_slot(victim, 1);
  ::kill(server.worker_pid(victim), SIGKILL);
  const std::string page =
      wait_for_page(server.admin(), "/readyz", "worker 1 has no process, others serve its 512 partitions");
  EXPECT_THAT(page, HasSubstr("200 OK"));
  EXPECT_EQ(add(with_old_map, key), 1) << "its state was lost with the worker";
  EXPECT_TRUE(library.call("grove.Counter", key, "Add", "").ok());
  wire_client late{server.address()};
  const v1::Welcome after = late.greet(victim);
  EXPECT_EQ(after.worker(), survivor);
  EXPECT_THAT(after.owners(), Each(survivor));
  EXPECT_EQ(add(late, key), 3);

  program.mend_slot(victim);
  wait_for_page(server.admin(), "/readyz", "2 of 2 workers up; others serve 512 partitions of worker 1");
  EXPECT_EQ(add(with_old_map, key), 4) << "where it lives and is well, it stays";

  ::kill(server.worker_pid(survivor), SIGKILL);
  server.process().wait_for_line("worker 0: ready again");
  wire_client at_home{server.address()};
  const v1::Welcome again = at_home.greet(victim);
  EXPECT_EQ(again.worker(), victim);
  EXPECT_EQ(keys_of(again, "grove.Counter", victim, 1).front(), key);
  EXPECT_EQ(add(at_home, key), 1);
  EXPECT_TRUE(library.call("grove.Counter", key, "Add", "").ok());
  EXPECT_THAT(http_get(server.admin(), "/readyz"), HasSubstr("2 of 2 workers up\n"));
  EXPECT_EQ(server.stop().exit.code, 0);
}

TEST(worker_that_cannot_be_started, has_its_actors_served_by_others_for_good_when_it_is_given_up) {
  const breakable_worker program;
  server_process server{{.workers = 3, .worker_program = program.program()}};
  wire_client client{server.address()};
  const v1::Welcome before = client.greet(survivor);
  program.break_slot(victim, 64);
  ::kill(server.worker_pid(victim), SIGKILL);
  wait_for_page(server.admin(), "/readyz", "worker 1 has no process, others serve its ");
  for (const std::string& key : keys_of(before, "grove.Counter", victim, 10))
    EXPECT_EQ(add(client, key), 1);
  const finished_process end = server.stop();
  EXPECT_EQ(end.exit.code, 0);
  EXPECT_THAT(end.err, HasSubstr("worker 1: has no process; 341 partitions are dealt out to 2 workers"));
}

}  // namespace
}  // namespace grove::test
