// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/server/supervisor_fixture.h"

namespace grove::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class supervisor_start : public supervisor_fixture {};

TEST_F(supervisor_start, starts_all_workers_at_once) {
  judge.begin();
  EXPECT_THAT(host.take(), ElementsAre("start 0", "start 1"));
  for (std::uint32_t slot : {0U, 1U}) {
    EXPECT_EQ(state(slot), worker_state::starting);
    EXPECT_EQ(segment.slot(slot).generation.load(), 1U);
    EXPECT_EQ(segment.slot(slot).pid.load(), static_cast<int>(100 + slot));
    EXPECT_EQ(segment.slot(slot).cpu.load(), static_cast<int>(slot));
    EXPECT_EQ(segment.slot(slot).restarts.load(), 0U);
  }
}

TEST_F(supervisor_start, tells_a_worker_who_it_is_when_it_says_hello) {
  config.limits.key_bytes_max = 77;
  judge.begin();
  say_hello(1);
  const v1::WorkerStart& start = host.sent[1].start();
  EXPECT_EQ(start.slot(), 1U);
  EXPECT_EQ(start.generation(), 1U);
  EXPECT_EQ(start.workers(), 2U);
  EXPECT_EQ(start.cpu(), 1U);
  EXPECT_EQ(start.log_level(), "info");
  EXPECT_EQ(start.limits().key_bytes_max(), 77U);
  EXPECT_EQ(start.limits().call_deadline_ms(), 30'000U);
  std::vector<const google::protobuf::FieldDescriptor*> set;
  start.limits().GetReflection()->ListFields(start.limits(), &set);
  EXPECT_EQ(static_cast<int>(set.size()), start.limits().GetDescriptor()->field_count()) << "every limit is sent";
}

TEST_F(supervisor_start, a_worker_is_up_when_it_says_ready_and_everybody_is_woken) {
  judge.begin();
  say_hello(0);
  const auto version_before = segment.table_version();
  const int pokes_before = host.pokes;
  time.advance(12ms);
  say_ready(0);
  EXPECT_EQ(state(0), worker_state::up);
  EXPECT_GT(segment.table_version(), version_before);
  EXPECT_GT(host.pokes, pokes_before);
  EXPECT_THAT(logged(), HasSubstr("worker 0: ready after 12 ms (pid 100, core 0, generation 1, 5 actor types)"));
}

TEST_F(supervisor_start, says_ready_once_and_only_when_all_are_up) {
  const std::string line = "info ready: 2 workers serve 127.0.0.1:7400 (admin 127.0.0.1:7401)\n";
  judge.begin();
  become_ready(0);
  EXPECT_THAT(logged(), Not(HasSubstr(line)));
  become_ready(1);
  EXPECT_THAT(logged(), HasSubstr(line));
  judge.on_exit(1, exit_status::signalled(SIGKILL));
  become_ready(1);
  EXPECT_EQ(logged().find(line), logged().rfind(line));
}

TEST_F(supervisor_start, is_ready_with_half_of_the_workers) {
  judge.begin();
  EXPECT_FALSE(judge.ready().ready);
  become_ready(0);
  EXPECT_TRUE(judge.ready().ready);
  EXPECT_EQ(judge.ready().reason, "1 of 2 workers up");
  judge.on_exit(0, exit_status::signalled(SIGKILL));
  EXPECT_FALSE(judge.ready().ready);
  EXPECT_EQ(judge.ready().reason, "0 of 2 workers up");
}

TEST_F(supervisor_start, a_worker_that_is_not_ready_within_ten_seconds_is_aborted_then_killed) {
  judge.begin();
  become_ready(0);
  say_hello(1);
  (void)host.take();
  pass(10s);
  EXPECT_THAT(host.take(), ElementsAre("SIGABRT 1"));
  pass(600ms);
  EXPECT_THAT(host.take(), ElementsAre("SIGKILL 1"));
  EXPECT_THAT(logged(), HasSubstr("worker 1 (pid 101) is not ready after 10s"));
}

TEST_F(supervisor_start, a_worker_of_another_version_is_refused_for_good) {
  judge.begin();
  (void)host.take();
  say_hello(0, "9.9.9");
  EXPECT_THAT(host.take(), ElementsAre("SIGKILL 0"));
  judge.on_exit(0, exit_status::signalled(SIGKILL));
  pass(60s);
  EXPECT_THAT(host.take(), testing::Not(testing::Contains("start 0")));
  EXPECT_THAT(logged(), HasSubstr("is of version 9.9.9"));
}

TEST_F(supervisor_start, a_worker_that_talks_nonsense_is_killed) {
  judge.begin();
  (void)host.take();
  v1::ControlMessage message;
  message.mutable_drain();
  judge.on_message(0, message);
  judge.on_message(1, v1::ControlMessage{});
  EXPECT_THAT(host.take(), ElementsAre("SIGKILL 0", "SIGKILL 1"));
}

TEST_F(supervisor_start, a_worker_that_closes_its_control_socket_and_lives_is_killed_after_a_second) {
  begin_and_serve();
  judge.on_control_lost(0, "closed by the worker");
  pass(900ms);
  EXPECT_THAT(host.take(), ElementsAre());
  pass(200ms);
  EXPECT_THAT(host.take(), ElementsAre("SIGKILL 0"));
}

TEST_F(supervisor_start, pinning_can_be_turned_off) {
  config.pin = pinning::off;
  supervisor floating{{config, cpus, segment, host, time, random, std::make_shared<spdlog::logger>("silent"), "", ""}};
  EXPECT_EQ(floating.workers()[0].core, std::nullopt);
}

}  // namespace
}  // namespace grove::server
