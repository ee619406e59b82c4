// SPDX-License-Identifier: Apache-2.0
#include "worker/mesh/handoff.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/descriptor_shortage.h"

namespace grove {
namespace {

std::pair<unique_fd, unique_fd> make_pair(int type) {
  std::array<int, 2> ends{-1, -1};
  EXPECT_EQ(::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends.data()), 0);
  return {unique_fd{ends[0]}, unique_fd{ends[1]}};
}

struct taken_socket {
  unique_fd socket;
  std::string bytes;
};

class handoff : public testing::Test {
 protected:
  std::pair<unique_fd, unique_fd> channel_ = make_pair(SOCK_DGRAM);
  std::vector<taken_socket> taken_;
  std::vector<taken_socket> unwanted_;
  descriptor_reserve reserve_;
  handoff_receiver receiver_{channel_.second.get(), reserve_,
                             [this](unique_fd socket, std::string_view bytes) {
                               taken_.push_back({std::move(socket), std::string{bytes}});
                             },
                             [this](unique_fd socket, std::string_view bytes) {
                               unwanted_.push_back({std::move(socket), std::string{bytes}});
                             }};
};

TEST_F(handoff, socket_arrives_connected_with_what_was_read) {
  auto [ours, clients] = make_pair(SOCK_STREAM);
  ASSERT_TRUE(send_handoff(channel_.first.get(), ours.get(), "hello frame").ok());
  ours.reset();
  EXPECT_FALSE(receiver_.receive());
  ASSERT_EQ(taken_.size(), 1U);
  EXPECT_EQ(taken_[0].bytes, "hello frame");
  EXPECT_NE(::fcntl(taken_[0].socket.get(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(::fcntl(taken_[0].socket.get(), F_GETFD) & FD_CLOEXEC, 0);
  ASSERT_EQ(::write(clients.get(), "more", 4), 4);
  std::array<char, 8> got{};
  EXPECT_EQ(::read(taken_[0].socket.get(), got.data(), got.size()), 4);
}

TEST_F(handoff, takes_as_many_bytes_as_the_limit_and_not_one_more) {
  auto [ours, clients] = make_pair(SOCK_STREAM);
  const std::string most(handoff_bytes_max, 'b');
  ASSERT_TRUE(send_handoff(channel_.first.get(), ours.get(), most).ok());
  receiver_.receive();
  ASSERT_EQ(taken_.size(), 1U);
  EXPECT_EQ(taken_[0].bytes, most);
  const status refused = send_handoff(channel_.first.get(), ours.get(), most + "b");
  EXPECT_EQ(refused.code(), status_code::resource_exhausted);
  EXPECT_NE(refused.message().find("65536"), std::string::npos);
}

TEST_F(handoff, full_queue_is_reported_and_nothing_is_lost) {
  auto [ours, clients] = make_pair(SOCK_STREAM);
  std::size_t sent = 0;
  status last;
  while (sent < 10'000 && (last = send_handoff(channel_.first.get(), ours.get(), std::string(1000, 'x'))).ok()) {
    ++sent;
  }
  EXPECT_EQ(last.code(), status_code::resource_exhausted);
  EXPECT_GE(::fcntl(ours.get(), F_GETFD), 0);
  while (receiver_.receive()) {
  }
  EXPECT_EQ(taken_.size(), sent);
  EXPECT_TRUE(send_handoff(channel_.first.get(), ours.get(), "x").ok());
}

TEST_F(handoff, worker_that_is_gone_is_reported) {
  auto [ours, clients] = make_pair(SOCK_STREAM);
  channel_.second.reset();
  EXPECT_EQ(send_handoff(channel_.first.get(), ours.get(), "x").code(), status_code::unavailable);
}

TEST_F(handoff, that_takes_the_last_descriptor_is_told_apart_and_not_lost) {
  auto [ours, clients] = make_pair(SOCK_STREAM);
  for (int i = 0; i < 3; ++i)
    ASSERT_TRUE(send_handoff(channel_.first.get(), ours.get(), "hello").ok());
  {
    const test::descriptor_shortage none_left;
    receiver_.receive();
    EXPECT_TRUE(taken_.empty());
    ASSERT_EQ(unwanted_.size(), 1U) << "which keeps it, so that there is none for the others";
    EXPECT_EQ(unwanted_[0].bytes, "hello");
    EXPECT_EQ(receiver_.dropped(), 2U);
    unwanted_.clear();
    ASSERT_TRUE(send_handoff(channel_.first.get(), ours.get(), "again").ok());
    receiver_.receive();
    ASSERT_EQ(unwanted_.size(), 1U);
    EXPECT_EQ(unwanted_[0].bytes, "again");
    unwanted_.clear();
  }
  ASSERT_TRUE(send_handoff(channel_.first.get(), ours.get(), "later").ok());
  receiver_.receive();
  ASSERT_EQ(taken_.size(), 1U);
  EXPECT_EQ(taken_[0].bytes, "later");
}

TEST_F(handoff, datagrams_that_are_none_are_dropped_and_counted) {
  ASSERT_EQ(::send(channel_.first.get(), "x", 1, 0), 1);
  ASSERT_EQ(::send(channel_.first.get(), "", 0, 0), 0);
  const std::string large(100'000, 'l');
  ASSERT_EQ(::send(channel_.first.get(), large.data(), large.size(), 0), static_cast<ssize_t>(large.size()));
  auto [ours, clients] = make_pair(SOCK_STREAM);
  ASSERT_TRUE(send_handoff(channel_.first.get(), ours.get(), "good").ok());
  receiver_.receive();
  EXPECT_EQ(receiver_.dropped(), 3U);
  ASSERT_EQ(taken_.size(), 1U);
  EXPECT_EQ(taken_[0].bytes, "good");
}

}  // namespace
}  // namespace grove
