// SPDX-License-Identifier: Apache-2.0
#include "server/exit_status.h"

#include <gtest/gtest.h>
#include <signal.h>

namespace grove::server {
namespace {

struct ending {
  exit_status status;
  std::string_view text;
  bool is_final;
};

class exit_status_test : public testing::TestWithParam<ending> {};

TEST_P(exit_status_test, is_told_in_words_and_judged) {
  EXPECT_EQ(describe(GetParam().status), GetParam().text);
  EXPECT_EQ(is_final(GetParam().status), GetParam().is_final);
}

INSTANTIATE_TEST_SUITE_P(
    table, exit_status_test,
    testing::Values(ending{exit_status::exited(0), "exited with 0 (done)", false},
                    ending{exit_status::exited(1), "exited with 1", false},
                    ending{exit_status::exited(64), "exited with 64 (bad configuration)", true},
                    ending{exit_status::exited(70), "exited with 70 (internal failure)", false},
                    ending{exit_status::exited(73), "exited with 73 (supervisor lost)", false},
                    ending{exit_status::exited(127),
                           "exited with 127 (the program or one of its libraries could not be loaded)", false},
                    ending{exit_status::signalled(SIGKILL), "died of signal 9 (SIGKILL)", false},
                    ending{exit_status::signalled(SIGSEGV, true), "died of signal 11 (SIGSEGV), core dumped", false},
                    ending{exit_status::signalled(SIGABRT), "died of signal 6 (SIGABRT)", false},
                    ending{exit_status::signalled(64), "died of signal 64 (signal 64)", false}));

TEST(exit_status, a_kill_that_nobody_here_sent_may_have_been_the_kernels) {
  EXPECT_NE(hint(exit_status::signalled(SIGKILL), false).find("memory"), std::string_view::npos);
  EXPECT_EQ(hint(exit_status::signalled(SIGKILL), true), "");
}

TEST(exit_status, crashes_point_to_their_report) {
  for (const int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE}) {
    EXPECT_NE(hint(exit_status::signalled(signal), false).find("report is above"), std::string_view::npos) << signal;
  }
  EXPECT_EQ(hint(exit_status::exited(1), false), "");
}

}  // namespace
}  // namespace grove::server
