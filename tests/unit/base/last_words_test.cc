// SPDX-License-Identifier: Apache-2.0
#include "base/last_words.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <string>

#include "base/fd.h"

namespace grove {
namespace {

using testing::HasSubstr;

/// A pipe in the place of stderr, as long as this lives.
class stderr_pipe {
 public:
  stderr_pipe() : before_{::dup(STDERR_FILENO)} {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    read_.reset(ends[0]);
    ::dup2(ends[1], STDERR_FILENO);
    ::close(ends[1]);
  }
  ~stderr_pipe() { ::dup2(before_.get(), STDERR_FILENO); }
  stderr_pipe(const stderr_pipe&) = delete;
  stderr_pipe& operator=(const stderr_pipe&) = delete;

  /// No byte more fits.
  void fill() const {
    const int flags = ::fcntl(STDERR_FILENO, F_GETFL);
    ::fcntl(STDERR_FILENO, F_SETFL, flags | O_NONBLOCK);
    while (::write(STDERR_FILENO, "x", 1) == 1) {
    }
    ::fcntl(STDERR_FILENO, F_SETFL, flags);
  }

  [[nodiscard]] std::string read_some() const {
    std::array<char, 65'536> text{};
    const ssize_t size = ::read(read_.get(), text.data(), text.size());
    return {text.data(), static_cast<std::size_t>(size)};
  }

 private:
  unique_fd before_;
  unique_fd read_;
};

TEST(last_words, are_written) {
  std::string said;
  {
    const stderr_pipe pipe;
    last_words{}.say("it was running grove.Echo/x Spin\n");
    said = pipe.read_some();
  }
  EXPECT_EQ(said, "it was running grove.Echo/x Spin\n");
}

TEST(last_words, are_lost_when_nobody_reads_and_the_process_dies_all_the_same) {
  std::string said;
  {
    const stderr_pipe pipe;
    pipe.fill();
    last_words words{std::chrono::milliseconds{1}};
    words.say("nobody reads this\n");  // Returns, which is the point.
    words.say_stack();
    said = pipe.read_some();
  }
  EXPECT_THAT(said, testing::Not(HasSubstr("nobody")));
}

TEST(last_words, have_the_stack_of_whoever_says_them) {
  std::string said;
  {
    const stderr_pipe pipe;
    last_words{}.say_stack();
    said = pipe.read_some();
  }
  EXPECT_THAT(said, HasSubstr("test_base"));
}

}  // namespace
}  // namespace grove
