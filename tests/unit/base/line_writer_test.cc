// SPDX-License-Identifier: Apache-2.0
#include "base/line_writer.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "base/fd.h"

namespace grove {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;

/// Long enough for any machine; nothing here waits until it is over.
constexpr std::chrono::milliseconds patience{60'000};

std::string missing(const log_gap& gap) {
  return "<" + std::to_string(gap.lines) + " missing" + (gap.error == 0 ? "" : ", error") + ">\n";
}

/// Something that a log goes into, and its reader.
struct stream {
  unique_fd read;
  unique_fd write;
};

stream make_pipe() {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  return {unique_fd{ends[0]}, unique_fd{ends[1]}};
}

stream make_socket() {
  std::array<int, 2> ends{};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  return {unique_fd{ends[0]}, unique_fd{ends[1]}};
}

stream make_terminal() {
  unique_fd master{::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)};
  EXPECT_EQ(::grantpt(master.get()) | ::unlockpt(master.get()), 0);
  unique_fd slave{::open(::ptsname(master.get()), O_RDWR | O_NOCTTY | O_CLOEXEC)};
  EXPECT_TRUE(slave);
  return {std::move(master), std::move(slave)};
}

/// Reads until `end` has come, and returns all of it without a terminal's carriage returns.
std::string read_until(const unique_fd& from, const std::string& end) {
  std::string text;
  std::array<char, 4096> piece{};
  while (text.find(end) == std::string::npos) {
    const ssize_t size = ::read(from.get(), piece.data(), piece.size());
    if (size <= 0) return text + "<end of the stream>";
    text.append(piece.data(), static_cast<std::size_t>(size));
    std::erase(text, '\r');
  }
  return text;
}

/// So many of this, and a line feed.
std::string line_of(std::size_t length, char filled_with) {
  std::string line(length + 1, filled_with);
  line.back() = '\n';
  return line;
}

const std::string filler = line_of(99, 'x');

/// Writes lines until one has been dropped; returns how many they were.
std::uint64_t fill(line_writer& log) {
  const std::uint64_t before = log.dropped();
  std::uint64_t lines = 0;
  for (; log.dropped() == before; ++lines)
    log.write(filler);
  return lines;
}

/// Lets the reader go on until all has come that will, and returns it.
std::string catch_up(line_writer& log, const unique_fd& reader) {
  std::string text;
  std::thread reading{[&] { text = read_until(reader, "end\n"); }};
  EXPECT_TRUE(log.flush(patience));
  log.write("end\n");
  reading.join();
  return text;
}

/// How many lines a text says are missing in it.
std::uint64_t count_missing(const std::string& text) {
  std::uint64_t sum = 0;
  for (std::size_t at = text.find('<'); at != std::string::npos; at = text.find('<', at + 1))
    sum += std::stoull(text.substr(at + 1));
  return sum;
}

std::uint64_t count_fillers(const std::string& text) {
  std::uint64_t count = 0;
  for (std::size_t at = text.find(filler); at != std::string::npos; at = text.find(filler, at + filler.size()))
    ++count;
  return count;
}

TEST(line_writer, writes_lines_in_their_order) {
  const stream to = make_pipe();
  line_writer log{to.write.get(), missing};
  log.write("one\n");
  log.write("two\n");
  EXPECT_TRUE(log.flush(patience));
  EXPECT_EQ(read_until(to.read, "two\n"), "one\ntwo\n");
  EXPECT_EQ(log.dropped(), 0U);
}

TEST(line_writer, has_written_a_line_before_it_returns_where_the_kernel_can_refuse_to_wait) {
  const stream to = make_pipe();
  char byte = 'x';
  const iovec probe{&byte, 1};
  if (::pwritev2(to.write.get(), &probe, 1, -1, RWF_NOWAIT) != 1) GTEST_SKIP() << "this kernel always waits at pipes";
  ASSERT_EQ(::read(to.read.get(), &byte, 1), 1);
  line_writer log{to.write.get(), missing};
  const auto is_written_at_once = [&] {
    pollfd readable{.fd = to.read.get(), .events = POLLIN, .revents = 0};
    log.write("line\n");
    const bool at_once = ::poll(&readable, 1, 0) == 1;
    EXPECT_EQ(read_until(to.read, "line\n"), "line\n");
    return at_once;
  };
  // Until the thread has come to its rest, which nothing disturbs from then on.
  while (!is_written_at_once() && !HasFailure()) {
  }
  for (int line = 0; line < 100; ++line)
    EXPECT_TRUE(is_written_at_once());
}

struct stalled_reader : testing::TestWithParam<stream (*)()> {};

TEST_P(stalled_reader, holds_nobody_up_and_is_told_how_much_it_missed_when_it_goes_on) {
  const stream to = GetParam()();
  const int flags = ::fcntl(to.write.get(), F_GETFL);
  line_writer log{to.write.get(), missing};
  std::uint64_t written = fill(log);  // Returns, which is the point.
  written += fill(log);
  const std::string text = catch_up(log, to.read);
  EXPECT_GE(log.dropped(), 2U);
  EXPECT_EQ(count_missing(text), log.dropped());
  EXPECT_EQ(count_fillers(text) + log.dropped(), written) << "every line has come, or is counted";
  EXPECT_EQ(::fcntl(to.write.get(), F_GETFL), flags) << "the open file is shared with other processes";
}

std::string name_of(const testing::TestParamInfo<stream (*)()>& which) {
  constexpr std::array names = {"a_pipe", "a_socket", "a_terminal"};
  return names.at(which.index);
}

INSTANTIATE_TEST_SUITE_P(of, stalled_reader, testing::Values(make_pipe, make_socket, make_terminal), name_of);

TEST(line_writer, does_not_wait_for_a_stopped_terminal) {
  const stream to = make_terminal();
  ASSERT_EQ(::write(to.read.get(), "\x13", 1), 1);  // Ctrl-S
  line_writer log{to.write.get(), missing};
  const std::uint64_t written = fill(log);
  ASSERT_EQ(::write(to.read.get(), "\x11", 1), 1);  // Ctrl-Q
  EXPECT_EQ(count_fillers(catch_up(log, to.read)) + log.dropped(), written);
}

TEST(line_writer, leaves_a_stalled_reader_behind_at_the_end) {
  const stream to = make_pipe();
  {
    line_writer log{to.write.get(), missing};
    fill(log);
  }
  // What the thread had begun with may still come; then it ends.
  EXPECT_THAT(read_until(to.read, "missing>\n"), EndsWith("missing>\n"));
}

TEST(line_writer, goes_on_when_somebody_else_made_the_open_file_non_blocking) {
  const stream to = make_pipe();
  ASSERT_EQ(::fcntl(to.write.get(), F_SETFL, O_NONBLOCK), 0);
  line_writer log{to.write.get(), missing};
  const std::uint64_t written = fill(log);
  EXPECT_EQ(count_fillers(catch_up(log, to.read)) + log.dropped(), written);
}

TEST(line_writer, keeps_lines_whole_that_several_write_to_one_pipe) {
  const stream to = make_pipe();
  const std::string of_one = line_of(1500, 'a');
  const std::string of_other = line_of(1500, 'b');
  constexpr int lines = 100;
  line_writer one{to.write.get(), missing};
  line_writer other{to.write.get(), missing};
  for (int line = 0; line < lines; ++line) {
    one.write(of_one);
    other.write(of_other);
  }
  std::string text;
  std::array<char, 4096> piece{};
  while (text.size() < 2 * lines * of_one.size())
    text.append(piece.data(), static_cast<std::size_t>(::read(to.read.get(), piece.data(), piece.size())));
  for (std::size_t at = 0; at < text.size(); at += of_one.size()) {
    const std::string line = text.substr(at, of_one.size());
    ASSERT_TRUE(line == of_one || line == of_other) << "at " << at;
  }
}

TEST(line_writer, writes_a_line_that_is_longer_than_a_pipe_takes_at_once) {
  const stream to = make_pipe();
  line_writer log{to.write.get(), missing};
  const std::string line = line_of(100'000, 'x');
  log.write("before\n");
  log.write(line);
  log.write("behind\n");
  EXPECT_EQ(read_until(to.read, "behind\n"), "before\n" + line + "behind\n");
}

TEST(line_writer, tells_of_a_line_that_its_backlog_has_no_room_for_and_goes_on) {
  const stream to = make_pipe();
  line_writer log{to.write.get(), missing, 100};
  log.write(line_of(5'000, 'x'));
  EXPECT_EQ(read_until(to.read, "missing>\n"), "<1 missing>\n");
  log.write("behind\n");
  EXPECT_EQ(read_until(to.read, "behind\n"), "behind\n");
  EXPECT_EQ(log.dropped(), 1U);
}

TEST(line_writer, counts_what_cannot_be_written) {
  ::signal(SIGPIPE, SIG_IGN);
  stream to = make_pipe();
  line_writer log{to.write.get(), missing};
  to.read.reset();
  log.write("nobody\nis there\n");
  EXPECT_TRUE(log.flush(patience));
  EXPECT_EQ(log.dropped(), 2U);
}

TEST(line_writer, tells_what_is_missing_in_a_file_that_was_full_for_a_while) {
  ::signal(SIGXFSZ, SIG_IGN);
  std::string path = testing::TempDir() + "/line_writer_XXXXXX";
  const unique_fd file{::mkostemp(path.data(), O_CLOEXEC | O_APPEND)};
  ::unlink(path.c_str());
  line_writer log{file.get(), missing};
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit none{0, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &none), 0);
  log.write("lost\n");
  EXPECT_TRUE(log.flush(patience));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  log.write("kept\n");
  EXPECT_TRUE(log.flush(patience));
  std::array<char, 100> text{};
  const ssize_t size = ::pread(file.get(), text.data(), text.size(), 0);
  ASSERT_GE(size, 0);
  EXPECT_EQ(std::string(text.data(), static_cast<std::size_t>(size)), "<1 missing, error>\nkept\n");
}

}  // namespace
}  // namespace grove
