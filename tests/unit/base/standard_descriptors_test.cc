// SPDX-License-Identifier: Apache-2.0
#include "base/standard_descriptors.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>

namespace grove {
namespace {

/// Ends the process, with 0 when all is as it should be; for a process of its own.
[[noreturn]] void try_without_descriptors(closed_output writes) {
  for (const int number : {0, 1, 2})
    ::close(number);
  open_standard_descriptors(writes);
  char byte = 'x';
  const bool opened = ::fcntl(0, F_GETFD) >= 0 && ::fcntl(1, F_GETFD) >= 0 && ::fcntl(2, F_GETFD) >= 0;
  const bool reads_end = ::read(0, &byte, 1) == 0;
  bool writes_right = true;
  for (const int number : {1, 2}) {
    const ssize_t written = ::write(number, &byte, 1);
    writes_right = writes_right && (writes == closed_output::discarded ? written == 1 : written < 0 && errno == EBADF);
  }
  ::_exit(opened && reads_end && writes_right ? 0 : 1);
}

TEST(standard_descriptors, that_are_closed_are_opened_and_swallow_a_servers_lines) {
  EXPECT_EXIT(try_without_descriptors(closed_output::discarded), testing::ExitedWithCode(0), "");
}

TEST(standard_descriptors, that_are_closed_are_opened_and_refuse_a_tools_reply) {
  EXPECT_EXIT(try_without_descriptors(closed_output::refused), testing::ExitedWithCode(0), "");
}

TEST(standard_descriptors, that_are_open_stay_as_they_are) {
  const int flags = ::fcntl(STDERR_FILENO, F_GETFL);
  const off_t place = ::lseek(STDERR_FILENO, 0, SEEK_CUR);
  open_standard_descriptors(closed_output::discarded);
  EXPECT_EQ(::fcntl(STDERR_FILENO, F_GETFL), flags);
  EXPECT_EQ(::lseek(STDERR_FILENO, 0, SEEK_CUR), place);
}

}  // namespace
}  // namespace grove
