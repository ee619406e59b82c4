// SPDX-License-Identifier: Apache-2.0
#include "worker/io/fd_wait.h"

#include <sys/socket.h>

#include <algorithm>
#include <asio/buffer.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <csignal>
#include <stdexcept>

#include "tests/support/hub_fixture.h"
#include "tests/unit/io/io_fixture.h"
#include "worker/io/use_greenlet.h"
#include "worker/tasks/task.h"
#include "worker/tasks/timeout.h"

namespace grove {
namespace {

using namespace std::chrono_literals;

class fd_waits : public hub_fixture {
 protected:
  void SetUp() override {
    // The hub's own descriptors are made at the first wait.
    auto first = spawn([&] { EXPECT_FALSE(wait_readable(pipe.read.get(), time_after(loop.now(), 1s))); });
    loop.run_ready();
    advance(1s);
    fds_before = open_fds();
  }
  void TearDown() override {
    hub_fixture::TearDown();
    EXPECT_EQ(open_fds(), fds_before);
  }
  static void put(const unique_fd& into, std::string_view bytes = "x") {
    ASSERT_EQ(::write(into.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  static int code_of(const std::function<void()>& call) {
    try {
      call();
      return 0;
    } catch (const std::system_error& error) {
      return error.code().value();
    }
  }

  pipe_ends pipe = make_pipe();
  std::size_t fds_before = 0;
};

TEST_F(fd_waits, end_when_there_is_data) {
  auto task = spawn([&] { return wait_readable(pipe.read.get()); });
  loop.run_ready();
  EXPECT_FALSE(task->ready());
  put(pipe.write);
  loop.run_ready();
  EXPECT_TRUE(task->get());
}

TEST_F(fd_waits, do_not_switch_when_it_is_ready_and_only_look_without_time) {
  EXPECT_TRUE(wait_writable(pipe.write.get()));
  EXPECT_FALSE(wait_readable(pipe.read.get(), loop.now()));
  EXPECT_THROW(wait_readable(pipe.read.get()), blocking_in_hub);
  put(pipe.write);
  EXPECT_TRUE(wait_readable(pipe.read.get()));
}

TEST_F(fd_waits, end_at_the_end_of_the_file_and_when_the_reader_has_gone) {
  pipe_ends full = make_pipe();
  const std::string much(1U << 20U, 'x');
  ASSERT_GT(::write(full.write.get(), much.data(), much.size()), 0);
  auto reading = spawn([&] { return wait_readable(pipe.read.get()); });
  auto writing = spawn([&] { return wait_writable(full.write.get()); });
  loop.run_ready();
  EXPECT_EQ(loop.waiting(), 2U);
  pipe.write.reset();
  full.read.reset();
  loop.run_ready();
  EXPECT_TRUE(reading->get());
  EXPECT_TRUE(writing->get());
  --fds_before;
}

TEST_F(fd_waits, of_timeouts_and_kills_leave_nothing_registered) {
  auto timed = spawn([&] { return wait_readable(pipe.read.get(), time_after(loop.now(), 1s)); });
  loop.run_ready();
  advance(1s);
  EXPECT_FALSE(timed->get());
  for (int i = 0; i < 100; ++i) {
    auto killed = spawn([&] { wait_readable(pipe.read.get()); });
    loop.run_ready();
    killed->kill(kill_mode::do_not_wait);
    loop.run_ready();
    EXPECT_TRUE(killed->exited());
  }
  auto bounded = spawn([&] { return with_timeout(1s, [&] { wait_readable(pipe.read.get()); }); });
  loop.run_ready();
  advance(1s);
  EXPECT_FALSE(bounded->get());
  auto after = spawn([&] { return wait_readable(pipe.read.get()); });
  loop.run_ready();
  put(pipe.write);
  loop.run_ready();
  EXPECT_TRUE(after->get());
}

TEST_F(fd_waits, of_two_greenlets_in_one_direction_are_refused) {
  auto first = spawn([&] { return wait_readable(pipe.read.get()); });
  auto second = spawn([&] { EXPECT_THROW(wait_readable(pipe.read.get()), concurrent_use); });
  loop.run_ready();
  EXPECT_TRUE(second->ready());
  put(pipe.write);
  loop.run_ready();
  EXPECT_TRUE(first->get());
}

TEST_F(fd_waits, of_a_refused_set_leave_the_others_of_the_set_alone) {
  pipe_ends other = make_pipe();
  auto first = spawn([&] { return wait_readable(pipe.read.get()); });
  auto second = spawn([&] {
    std::array<pollfd, 2> both{pollfd{other.read.get(), POLLIN, 0}, pollfd{pipe.read.get(), POLLIN, 0}};
    EXPECT_THROW(poll_fds(both), concurrent_use);
    return wait_readable(other.read.get());
  });
  loop.run_ready();
  put(other.write);
  put(pipe.write);
  loop.run_ready();
  EXPECT_TRUE(first->get());
  EXPECT_TRUE(second->get());
}

TEST_F(fd_waits, of_two_directions_go_their_own_ways) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
  const unique_fd near(ends[0]);
  const unique_fd far(ends[1]);
  const std::string much(1U << 20U, 'x');
  while (::write(near.get(), much.data(), much.size()) > 0) {
  }
  auto reading = spawn([&] { return wait_readable(near.get()); });
  auto writing = spawn([&] { return wait_writable(near.get()); });
  loop.run_ready();
  EXPECT_EQ(loop.waiting(), 2U);
  put(far);
  loop.run_ready();
  EXPECT_TRUE(reading->ready());
  EXPECT_FALSE(writing->ready());
  std::string room(1U << 20U, ' ');
  while (::read(far.get(), room.data(), room.size()) > 0) {
  }
  loop.run_ready();
  EXPECT_TRUE(writing->get());
}

TEST_F(fd_waits, of_many_tell_which_are_ready) {
  std::array<pipe_ends, 20> pipes;
  std::generate(pipes.begin(), pipes.end(), make_pipe);
  auto task = spawn([&] {
    std::vector<pollfd> all{{-1, POLLIN, 0}};
    for (const pipe_ends& each : pipes)
      all.push_back({each.read.get(), POLLIN, 0});
    std::vector<std::size_t> ready;
    EXPECT_EQ(poll_fds(all), 2U);
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all[i].revents == POLLIN) ready.push_back(i);
    }
    return ready;
  });
  loop.run_ready();
  put(pipes[3].write);
  put(pipes[17].write);
  loop.run_ready();
  EXPECT_EQ(task->get(), (std::vector<std::size_t>{4, 18}));
}

TEST_F(fd_waits, may_name_a_descriptor_twice_or_ask_for_errors_alone) {
  auto task = spawn([&] {
    std::array<pollfd, 3> same{pollfd{pipe.read.get(), POLLIN, 0}, pollfd{pipe.read.get(), POLLPRI, 0},
                               pollfd{pipe.read.get(), 0, 0}};
    EXPECT_EQ(poll_fds(same), 3U);
    return same[2].revents;
  });
  loop.run_ready();
  pipe.write.reset();
  loop.run_ready();
  EXPECT_EQ(task->get(), POLLHUP);
  --fds_before;
}

TEST_F(fd_waits, of_sliced_greenlets_are_written_to_elsewhere_than_on_their_stacks) {
  std::array<pipe_ends, 40> pipes;
  std::generate(pipes.begin(), pipes.end(), make_pipe);
  std::vector<int> woken;
  for (int i = 0; i < 40; ++i) {
    const pipe_ends& each = pipes.at(static_cast<std::size_t>(i));
    spawn_on(
        loop,
        [&each, &woken, i] {
          std::array<char, 4> room{};
          if (read_fd(each.read.get(), room) == 1U && room[0] == static_cast<char>('0' + i)) woken.push_back(i);
        },
        std::nullopt, stack_class::sliced);
  }
  loop.run_ready();
  for (int i = 0; i < 40; ++i)
    put(pipes.at(static_cast<std::size_t>(i)).write, std::string(1, static_cast<char>('0' + i)));
  loop.run_ready();
  EXPECT_EQ(woken.size(), pipes.size());
}

TEST_F(fd_waits, of_no_descriptors_last_until_their_time) {
  auto task = spawn([&] { return poll_fds({}, time_after(loop.now(), 1s)); });
  loop.run_ready();
  EXPECT_FALSE(task->ready());
  advance(1s);
  EXPECT_EQ(task->get(), 0U);
}

TEST_F(fd_waits, of_a_closed_descriptor_are_errors) {
  const int number = make_pipe().read.get();
  EXPECT_EQ(code_of([&] { wait_readable(number); }), EBADF);
  EXPECT_EQ(code_of([&] { wait_writable(-1); }), EBADF);
  pollfd closed{number, POLLIN, 0};
  EXPECT_EQ(poll_fds({&closed, 1}), 1U);
  EXPECT_EQ(closed.revents, POLLNVAL);
}

TEST_F(fd_waits, end_with_an_error_when_they_are_cancelled_to_close_the_descriptor) {
  int code = 0;
  auto simple = spawn([&] { code = code_of([&] { wait_readable(pipe.read.get()); }); });
  auto set = spawn([&] {
    std::array<pollfd, 2> all{pollfd{pipe.write.get(), POLLPRI, 0}, pollfd{pipe.read.get(), POLLPRI, 0}};
    EXPECT_EQ(poll_fds(all), 1U);
    return all[0].revents;
  });
  loop.run_ready();
  EXPECT_EQ(cancel_waits(pipe.read.get()), 2U) << "one waits for data, one for urgent data";
  loop.run_ready();
  EXPECT_EQ(code, EBADF);
  EXPECT_EQ(set->get(), 0);
  EXPECT_EQ(cancel_waits(pipe.read.get()), 0U);
  EXPECT_EQ(cancel_waits(-1), 0U);
  EXPECT_EQ(cancel_waits(1'000'000), 0U);
}

TEST_F(fd_waits, of_a_number_that_is_another_file_now_do_not_see_the_old_one) {
  const int number = pipe.read.get();
  auto old = spawn([&] { EXPECT_EQ(code_of([&] { wait_readable(number); }), EBADF); });
  loop.run_ready();
  const unique_fd still_open(::fcntl(number, F_DUPFD_CLOEXEC, 0));
  cancel_waits(number);
  pipe_ends other = make_pipe();
  ASSERT_EQ(::dup3(other.read.get(), number, O_CLOEXEC), number);
  auto waits = spawn([&] { return wait_readable(number); });
  put(pipe.write);
  loop.run_ready();
  EXPECT_TRUE(old->ready());
  EXPECT_FALSE(waits->ready());
  put(other.write);
  loop.run_ready();
  EXPECT_TRUE(waits->get());
}

TEST_F(fd_waits, survive_a_close_that_nobody_announced) {
  auto task = spawn([&] { return wait_readable(pipe.read.get(), time_after(loop.now(), 1s)); });
  loop.run_ready();
  pipe.read.reset();
  pipe.write.reset();
  loop.run_ready();
  EXPECT_FALSE(task->ready());
  advance(1s);
  EXPECT_FALSE(task->get());
  fds_before -= 2;
}

TEST_F(fd_waits, of_a_regular_file_are_over_at_once) {
  const unique_fd file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  EXPECT_TRUE(wait_readable(file.get()));
  auto never = spawn([&] {
    pollfd urgent{file.get(), POLLPRI, 0};
    return poll_fds({&urgent, 1}, time_after(loop.now(), 1s));
  });
  loop.run_ready();
  advance(1s);
  EXPECT_EQ(never->get(), 0U);
}

TEST_F(fd_waits, share_a_descriptor_with_asio) {
  asio::posix::stream_descriptor reading(loop.io(), pipe.read.get());
  auto with_asio = spawn([&] {
    std::array<char, 1> room{};
    return reading.async_read_some(asio::buffer(room), use_greenlet);
  });
  auto with_poll = spawn([&] { return wait_readable(pipe.read.get(), time_after(loop.now(), 1s)); });
  loop.run_ready();
  EXPECT_EQ(loop.waiting(), 2U);
  put(pipe.write, "xy");
  loop.run_ready();
  EXPECT_EQ(with_asio->get(), 1U);
  EXPECT_TRUE(with_poll->get());
  (void)reading.release();
}

TEST_F(fd_waits, read_and_write) {
  std::array<char, 8> room{};
  auto reading = spawn([&] { return read_fd(pipe.read.get(), room); });
  auto none = spawn([&] { return write_fd(pipe.write.get(), "hello"); });
  loop.run_ready();
  EXPECT_EQ(none->get(), 5U);
  EXPECT_EQ(reading->get(), 5U);
  EXPECT_EQ(read_fd(pipe.read.get(), room, loop.now()), std::nullopt);
  pipe.write.reset();
  EXPECT_EQ(read_fd(pipe.read.get(), room), 0U);
  EXPECT_EQ(code_of([&] { (void)read_fd(-1, room); }), EBADF);
  --fds_before;
}

TEST_F(fd_waits, of_writes_get_an_error_and_no_signal_when_the_reader_goes) {
  ASSERT_NE(::signal(SIGPIPE, SIG_DFL), SIG_ERR);
  const std::string much(1U << 20U, 'x');
  auto writing = spawn([&] {
    return code_of([&] {
      while (write_fd(pipe.write.get(), much)) {
      }
    });
  });
  loop.run_ready();
  EXPECT_FALSE(writing->ready());
  pipe.read.reset();
  loop.run_ready();
  EXPECT_EQ(writing->get(), EPIPE);
  --fds_before;
}

}  // namespace
}  // namespace grove
