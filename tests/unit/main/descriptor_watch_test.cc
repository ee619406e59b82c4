// SPDX-License-Identifier: Apache-2.0
#include "worker/main/descriptor_watch.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <memory>
#include <stdexcept>

#include "base/fd.h"
#include "tests/support/hub_fixture.h"

namespace grove {
namespace {

using namespace std::chrono_literals;

class watch_of_a_descriptor : public hub_fixture {
 protected:
  void make_readable() const {
    const std::uint64_t one = 1;
    EXPECT_EQ(::write(counter.get(), &one, sizeof one), static_cast<ssize_t>(sizeof one));
  }
  void read() const {
    std::uint64_t count = 0;
    EXPECT_EQ(::read(counter.get(), &count, sizeof count), static_cast<ssize_t>(sizeof count));
  }

  unique_fd counter{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  int calls = 0;
};

TEST_F(watch_of_a_descriptor, calls_each_time_that_it_is_readable) {
  const descriptor_watch watch{loop, counter.get(), [this] {
                                 ++calls;
                                 read();
                               }};
  for (int i = 1; i <= 3; ++i) {
    make_readable();
    loop.run_ready();
    EXPECT_EQ(calls, i);
  }
}

TEST_F(watch_of_a_descriptor, reports_what_is_thrown_and_goes_on) {
  const descriptor_watch watch{loop, counter.get(), [this] {
                                 read();
                                 if (++calls == 1) throw std::runtime_error{"a packet that is no message"};
                               }};
  make_readable();
  loop.run_ready();
  ASSERT_EQ(errors.size(), 1U);
  expected_errors = errors;
  EXPECT_NE(errors.front().find("a packet that is no message"), std::string::npos);
  make_readable();
  advance(descriptor_watch::pause_after_error);
  EXPECT_EQ(calls, 2);
}

TEST_F(watch_of_a_descriptor, whose_callback_always_throws_does_not_keep_the_loop_busy) {
  const descriptor_watch watch{loop, counter.get(), [this] {
                                 ++calls;
                                 throw std::runtime_error{"nobody reads it"};
                               }};
  make_readable();
  for (int pauses = 1; pauses <= 3; ++pauses) {
    loop.run_ready();
    EXPECT_EQ(calls, pauses);
    time.advance(descriptor_watch::pause_after_error);
  }
  expected_errors = errors;
  EXPECT_EQ(errors.size(), 3U);
}

TEST_F(watch_of_a_descriptor, may_be_destroyed_by_a_callback_that_throws) {
  auto watch = std::make_unique<std::unique_ptr<descriptor_watch>>();
  *watch = std::make_unique<descriptor_watch>(loop, counter.get(), [&watch] {
    const auto goes = std::move(watch);
    throw std::runtime_error{"the last one"};
  });
  make_readable();
  loop.run_ready();
  expected_errors = errors;
  EXPECT_EQ(errors.size(), 1U);
  EXPECT_EQ(watch, nullptr);
}

}  // namespace
}  // namespace grove
