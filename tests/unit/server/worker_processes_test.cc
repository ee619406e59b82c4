// SPDX-License-Identifier: Apache-2.0
#include "server/worker_processes.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

#include <cerrno>
#include <optional>
#include <vector>

#include "tests/support/descriptor_shortage.h"

namespace grove::server {
namespace {

using test::descriptor_shortage;

struct worker_processes_test : testing::Test {
  asio::io_context io;
  unique_fd something{::eventfd(0, EFD_CLOEXEC)};
  std::optional<exit_status> ended;
  worker_processes processes{io,
                             "/bin/true",
                             1,
                             something.get(),
                             something.get(),
                             {.message = [](std::uint32_t, const v1::ControlMessage&) {},
                              .control_lost = [](std::uint32_t, std::string_view) {},
                              .exit = [this](std::uint32_t, const exit_status& status) { ended = status; }}};
};

// Whichever descriptor is the one too many: what could not be started is not there, not even as a zombie.
TEST_F(worker_processes_test, leave_no_process_behind_that_could_not_be_started) {
  if (test::is_misjudged_without_descriptors) GTEST_SKIP() << test::misjudged_without_descriptors;
  descriptor_shortage shortage;
  std::size_t free = 0;
  spawn_result started;
  do {
    shortage.leave(free);
    started = processes.start(0);
    if (started.pid != 0) break;
    EXPECT_NE(started.error, "");
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "with " << free << " free descriptors: " << started.error;
    EXPECT_EQ(errno, ECHILD);
  } while (++free < 10);
  EXPECT_GT(free, 2U) << "several descriptors are needed, so several starts failed";
  while (!ended && io.run_one() != 0) {
  }
  ASSERT_TRUE(ended);
  EXPECT_EQ(describe(*ended), describe(exit_status::exited(0)));
}

}  // namespace
}  // namespace grove::server
