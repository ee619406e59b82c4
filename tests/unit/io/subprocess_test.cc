// SPDX-License-Identifier: Apache-2.0
#include "worker/io/subprocess.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "tests/unit/io/io_fixture.h"
#include "worker/io/fd_wait.h"
#include "worker/tasks/task.h"
#include "worker/tasks/timeout.h"

namespace grove {
namespace {

using namespace std::chrono_literals;
using arguments = std::vector<std::string>;

arguments shell(std::string script) {
  return {"/bin/sh", "-c", std::move(script)};
}

const subprocess_options all_pipes{.in = stdio::pipe(), .out = stdio::pipe(), .err = stdio::pipe()};
const subprocess_options to_pipes{.in = stdio::null(), .out = stdio::pipe(), .err = stdio::pipe()};

/// Tear-down finds descriptors and children that were left behind.
class subprocesses : public io_fixture {
 protected:
  void SetUp() override {
    in_greenlet([&] { poll_fds({}, time_after(loop.now(), 1ms)); });  // makes what the hub needs for waits
    fds_before_ = open_fds();
  }
  void TearDown() override {
    // Dropped children end in their own time, but they end.
    while (::waitid(P_ALL, 0, nullptr, WEXITED | WNOWAIT | WNOHANG) == 0)
      loop.poll();
    EXPECT_EQ(errno, ECHILD);
    io_fixture::TearDown();
    EXPECT_EQ(open_fds(), fds_before_);
  }

 private:
  std::size_t fds_before_ = 0;
};

TEST_F(subprocesses, end_with_a_code_or_by_a_signal) {
  in_greenlet([] {
    EXPECT_EQ(subprocess::run(shell("exit 47")).status, (exit_status{.code = 47, .signal = 0}));
    EXPECT_EQ(subprocess::run(shell("kill -KILL $$")).status, (exit_status{.code = -1, .signal = SIGKILL}));
    EXPECT_TRUE(subprocess::run({"true"}).status.success());
  });
}

TEST_F(subprocesses, let_other_greenlets_run_while_one_waits) {
  in_greenlet([] {
    subprocess child = subprocess::start({"cat"}, all_pipes);
    EXPECT_EQ(child.poll(), std::nullopt);
    EXPECT_EQ(child.wait(hub::current().now()), std::nullopt);
    auto first = spawn([&] { return child.wait(); });
    auto second = spawn([&] { return child.wait(); });
    yield();
    child.close_in();
    EXPECT_EQ(first->get(), exit_status{.code = 0});
    EXPECT_EQ(second->get(), exit_status{.code = 0});
    EXPECT_EQ(child.wait(), exit_status{.code = 0});
    EXPECT_FALSE(child.kill()) << "it has been collected";
  });
}

TEST_F(subprocesses, that_cannot_start_name_the_program_or_the_directory) {
  const auto text_of = [](const arguments& argv, const subprocess_options& options) -> std::string {
    try {
      (void)subprocess::start(argv, options);
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code().value(), ENOENT);
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(text_of({"no-such-program-here"}, all_pipes), testing::HasSubstr("starting no-such-program-here"));
  EXPECT_THAT(text_of({"/bin/sh"}, {.directory = "/no/such"}), testing::HasSubstr("directory /no/such"));
  EXPECT_THROW((void)subprocess::start({}), std::invalid_argument);
  EXPECT_THROW((void)subprocess::start({"true"}, {.in = stdio::to(-1)}), std::system_error);
  EXPECT_THROW((void)subprocess::start({"true"}, {.out = stdio::to_output()}), std::invalid_argument);
}

TEST_F(subprocesses, communicate_both_ways_without_a_deadlock) {
  in_greenlet([] {
    const std::string much(1U << 20U, 'x');
    subprocess child = subprocess::start(shell("tee /dev/stderr"), all_pipes);
    const auto all = child.communicate(much);
    ASSERT_TRUE(all);
    EXPECT_EQ(all->out, much);
    EXPECT_EQ(all->err, much);
    EXPECT_EQ(child.poll(), exit_status{.code = 0});
  });
}

TEST_F(subprocesses, need_not_read_their_input) {
  in_greenlet([] {
    const std::string much(1U << 20U, 'x');
    EXPECT_EQ(subprocess::run(shell("exec <&-; echo done"), {.out = stdio::pipe()}, much).out, "done\n");
    EXPECT_THROW(subprocess::run({"true"}, to_pipes, "input that nobody can get"), std::invalid_argument);
  });
}

TEST_F(subprocesses, go_on_communicating_after_a_time_that_was_not_enough) {
  in_greenlet([&] {
    subprocess child =
        subprocess::start(shell("echo early; read line; echo $line"), {.in = stdio::pipe(), .out = stdio::pipe()});
    auto bounded = spawn([&] { return with_timeout(20ms, [&] { return child.wait(); }); });
    EXPECT_EQ(bounded->get(), std::nullopt);
    pollfd out{child.out_fd(), POLLIN, 0};
    poll_fds({&out, 1});
    std::array<char, 64> room{};
    EXPECT_EQ(read_fd(child.out_fd(), room), 6U);
    auto reader = spawn([&] { return wait_readable(child.out_fd()); });
    yield();
    reader->kill();
    EXPECT_EQ(child.poll(), std::nullopt) << "a greenlet that was killed leaves the child alone";
    EXPECT_EQ(write_fd(child.in_fd(), "late\n"), 5U);
    EXPECT_EQ(child.communicate({}, time_after(loop.now(), 30s)).value().out, "late\n");
  });
}

TEST_F(subprocesses, keep_what_a_killed_or_timed_out_communicate_has_read) {
  in_greenlet([&] {
    subprocess child = subprocess::start(shell("echo one; read line; echo two; read line; echo three"),
                                         {.in = stdio::pipe(), .out = stdio::pipe()});
    const auto line_is_there = [&] { wait_readable(child.out_fd()); };
    line_is_there();
    auto talking = spawn([&] { (void)child.communicate("a\n"); });
    yield();  // it has read the first line and wrote its input, and waits
    talking->kill();
    EXPECT_EQ(child.communicate({}, loop.now()), std::nullopt);
    const auto all = child.communicate();
    ASSERT_TRUE(all);
    EXPECT_EQ(all->out, "one\ntwo\nthree\n");
  });
}

TEST_F(subprocesses, may_write_as_much_as_the_limit_and_not_a_byte_more) {
  in_greenlet([] {
    subprocess_options limited = to_pipes;
    limited.output_bytes_max = 100;
    const auto write = [&](int size) {
      return subprocess::run(shell("printf %" + std::to_string(size) + "s; printf %50s >&2"), limited);
    };
    EXPECT_EQ(write(50).out.size(), 50U);
    EXPECT_THROW(write(51), output_too_long);
    EXPECT_THROW(subprocess::run({"yes"}, limited), output_too_long);
  });
}

TEST_F(subprocesses, that_write_for_ever_end_at_their_time) {
  in_greenlet([&] {
    subprocess_options much = to_pipes;
    much.output_bytes_max = std::size_t{1} << 40U;
    EXPECT_THROW(subprocess::run({"yes"}, much, {}, time_after(loop.now(), 2ms)), subprocess::timed_out);
    EXPECT_THROW(subprocess::run({"cat"}, {.in = stdio::pipe()}, "", loop.now()), subprocess::timed_out);
  });
}

TEST_F(subprocesses, give_their_output_or_their_failure) {
  in_greenlet([] {
    EXPECT_EQ(subprocess::check_output({"cat"}, {}, "pear"), "pear");
    try {
      subprocess::check_output(shell("echo out; echo err >&2; exit 3"), {.err = stdio::pipe()});
      FAIL() << "it must throw";
    } catch (const subprocess::failed& failure) {
      EXPECT_STREQ(failure.what(), "/bin/sh has failed with code 3");
      EXPECT_EQ(failure.result.status.code, 3);
      EXPECT_EQ(failure.result.out, "out\n");
      EXPECT_EQ(failure.result.err, "err\n");
    }
  });
}

TEST_F(subprocesses, get_the_streams_that_they_are_given) {
  in_greenlet([] {
    pipe_ends own = make_pipe();
    subprocess::run(shell("echo out; echo err >&2"), {.out = stdio::to(own.write.get()), .err = stdio::to_output()});
    std::array<char, 64> room{};
    EXPECT_EQ(read_fd(own.read.get(), room), 8U);
    EXPECT_EQ(std::string_view(room.data(), 8), "out\nerr\n");
    EXPECT_EQ(subprocess::check_output({"cat"}, {.in = stdio::null()}), "");
    EXPECT_EQ(subprocess::check_output(shell("echo gone; echo kept >&2"), {.err = stdio::to_output()}), "gone\nkept\n");
    // Crossed over: each standard stream is a copy of another one of ours.
    EXPECT_EQ(subprocess::run(shell("test -e /dev/fd/0 && test -e /dev/fd/1 && test -e /dev/fd/2"),
                              {.in = stdio::to(2), .out = stdio::to(0), .err = stdio::to(1)})
                  .status.code,
              0);
  });
}

TEST_F(subprocesses, get_no_other_descriptor_and_no_signal_mask) {
  in_greenlet([] {
    const unique_fd leaks(::fcntl(0, F_DUPFD, 100));
    EXPECT_EQ(subprocess::check_output({"ls", "/proc/self/fd"}, {.in = stdio::null(), .err = stdio::null()}),
              "0\n1\n2\n3\n")
        << "3 is the directory itself";
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, &before);
    const std::string status = subprocess::check_output({"grep", "SigBlk", "/proc/self/status"});
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    EXPECT_EQ(status, "SigBlk:\t0000000000000000\n");
  });
}

TEST_F(subprocesses, get_their_directory_environment_and_group) {
  in_greenlet([] {
    EXPECT_EQ(subprocess::check_output({"pwd"}, {.directory = "/proc"}), "/proc\n");
    EXPECT_EQ(subprocess::check_output({"env"}, {.environment = arguments{"A=1"}}), "A=1\n");
    EXPECT_EQ(subprocess::check_output(shell("echo $A $HOME"),
                                       {.environment = environment_with({{"A", "2"}, {"HOME", "/x"}})}),
              "2 /x\n");
    subprocess leader = subprocess::start({"cat"}, {.in = stdio::pipe(), .own_group = true});
    EXPECT_EQ(::getpgid(leader.pid()), leader.pid());
  });
}

TEST_F(subprocesses, are_sent_signals) {
  in_greenlet([] {
    subprocess first = subprocess::start({"cat"}, all_pipes);
    EXPECT_TRUE(first.terminate());
    EXPECT_EQ(first.wait(), (exit_status{.code = -1, .signal = SIGTERM}));
    subprocess second = subprocess::start({"cat"}, all_pipes);
    EXPECT_TRUE(second.send_signal(SIGINT));
    EXPECT_EQ(second.communicate().value().out, "");
    EXPECT_EQ(second.poll().value().signal, SIGINT);
  });
}

TEST_F(subprocesses, that_are_dropped_are_killed_and_collected) {
  in_greenlet([] {
    for (int i = 0; i < 20; ++i)
      (void)subprocess::start({"cat"}, all_pipes);
    subprocess replaced = subprocess::start({"cat"}, all_pipes);
    replaced = subprocess::start({"cat"}, all_pipes);
    EXPECT_TRUE(replaced.kill());
  });
  // Tear-down counts.
}

TEST_F(subprocesses, that_are_dropped_tell_those_who_wait) {
  in_greenlet([] {
    auto child = std::make_optional(subprocess::start({"sleep", "1000"}, all_pipes));
    auto waits = spawn([&] { return child->wait(); });
    auto talks = spawn([&] { EXPECT_THROW(child->communicate(), std::system_error); });
    yield();
    child.reset();
    EXPECT_EQ(waits->get(), (exit_status{.code = -1, .signal = SIGKILL}));
    talks->join();
  });
}

TEST_F(subprocesses, whose_status_somebody_else_took_say_so) {
  in_greenlet([] {
    subprocess child = subprocess::start({"true"});
    ASSERT_EQ(::waitpid(child.pid(), nullptr, 0), child.pid());
    EXPECT_THROW(child.wait(), std::system_error);
    EXPECT_FALSE(child.kill());
  });
}

TEST_F(subprocesses, that_cannot_start_leave_nothing_open) {
  in_greenlet([] {
    for (int i = 0; i < 50; ++i)
      EXPECT_THROW((void)subprocess::start({"no-such-program-here"}, all_pipes), std::system_error);
  });
}

}  // namespace
}  // namespace grove
