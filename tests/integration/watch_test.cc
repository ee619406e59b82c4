// SPDX-License-Identifier: Apache-2.0
// What a person can see of a worker from outside: turns that hold it, in the log; what all its greenlets do, through the
// back door.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "base/fd.h"
#include "grove/v1/builtin.pb.h"
#include "tests/support/server_process.h"
#include "tests/support/wire_client.h"

namespace grove::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

v1::EchoSpinRequest spin(std::uint32_t microseconds) {
  v1::EchoSpinRequest request;
  request.set_microseconds(microseconds);
  return request;
}

TEST(stalled_worker, is_in_the_log_with_actor_method_and_stack_and_counted) {
  server_process server{{.workers = 1}};
  wire_client client{server.address()};
  client.greet();
  // Many, because a monitor that gets no time while one of them runs sees only the next; and each after the answer to the
  // one before, so that it is a stall of its own.
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(client.call("grove.Echo", "busy", "Spin", spin(250'000).SerializeAsString()).code(), 0U);
  EXPECT_THAT(server.process().wait_for_line("EchoActor::Spin"),
              AllOf(HasSubstr("worker 0"), HasSubstr("stalled for "), HasSubstr("grove.Echo/busy Spin")));
  server.process().wait_for_line("stall ended after ");
  const std::string metrics = http_get(server.admin(), "/metrics");
  EXPECT_THAT(metrics, AllOf(HasSubstr("grove_stalls_total{worker=\"0\"} "),
                             Not(HasSubstr("grove_stalls_total{worker=\"0\"} 0\n"))));
  EXPECT_THAT(server.stop().err, Not(HasSubstr("hangs"))) << "a stall is no hang";
}

TEST(stalled_worker, is_not_looked_for_if_nobody_wants_it) {
  server_process server{{.workers = 1, .more = {"--stall-after", "off"}}};
  wire_client client{server.address()};
  client.greet();
  EXPECT_EQ(client.call("grove.Echo", "busy", "Spin", spin(100'000).SerializeAsString()).code(), 0U);
  EXPECT_THAT(server.stop().err, Not(HasSubstr("stalled")));
}

TEST(lost_tell, is_in_the_log_with_actor_method_and_reason_and_counted) {
  server_process server{{.workers = 1}};
  wire_client client{server.address()};
  client.greet();
  // More turns than a pass of the worker's loop runs, and then one whose time is over in the next pass.
  constexpr std::uint64_t turns_before = 60;
  std::string frames;
  for (std::uint64_t id = 1; id <= turns_before; ++id)
    frames += frame_of(request_envelope(id, "grove.Echo", "busy", "Spin", spin(1'000).SerializeAsString()));
  v1::Envelope hurried = request_envelope(turns_before + 1, "grove.Echo", "busy", "Echo", "");
  hurried.mutable_request()->set_one_way(true);
  hurried.mutable_request()->set_remaining_microseconds(1);
  client.send_bytes(frames + frame_of(hurried));
  EXPECT_THAT(server.process().wait_for_line("a tell is lost: grove.Echo/busy Echo"), HasSubstr("DEADLINE_EXCEEDED"));
  EXPECT_THAT(http_get(server.admin(), "/metrics"), HasSubstr("grove_tells_lost_total{worker=\"0\"} 1\n"));
}

/// A person at the back door.
class visitor {
 public:
  explicit visitor(const std::string& path) : socket_{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0) << path;
  }

  /// What comes until the next prompt, or until the other end has closed.
  std::string read() {
    std::string text;
    char room[4096];
    while (!text.ends_with("\n> ") && text != "> ") {
      const ssize_t bytes = ::read(socket_.get(), room, sizeof room);
      if (bytes <= 0) break;
      text.append(room, static_cast<std::size_t>(bytes));
    }
    return text;
  }
  std::string ask(const std::string& line) {
    EXPECT_EQ(::send(socket_.get(), line.data(), line.size(), MSG_NOSIGNAL), static_cast<ssize_t>(line.size()));
    return read();
  }

 private:
  unique_fd socket_;
};

TEST(back_door_of_a_worker, shows_its_turns_and_their_stacks) {
  std::string folder = (std::filesystem::temp_directory_path() / "grove-backdoor-XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  server_process server{{.workers = 2, .more = {"--backdoor", folder}}};
  const std::string path = folder + "/worker-0.sock";
  struct stat found {};
  ASSERT_EQ(::stat(path.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0600U);
  EXPECT_TRUE(std::filesystem::exists(folder + "/worker-1.sock"));

  // A turn that waits: at whichever of the two workers owns its actor.
  wire_client client{server.address()};
  client.greet();
  v1::EchoSleepRequest sleep;
  sleep.set_milliseconds(60'000);
  v1::Envelope request;
  request.mutable_request()->set_id(9);
  request.mutable_request()->set_type("grove.Echo");
  request.mutable_request()->set_key("patient");
  request.mutable_request()->set_method("Sleep");
  request.mutable_request()->set_payload(sleep.SerializeAsString());
  client.send(request);

  visitor first{path};
  visitor second{folder + "/worker-1.sock"};
  EXPECT_THAT(first.read(), HasSubstr("grove-worker 0"));
  EXPECT_THAT(second.read(), HasSubstr("grove-worker 1"));
  std::string all;
  while (all.find("grove.Echo/patient Sleep") == std::string::npos)
    all = first.ask("greenlets\n") + second.ask("greenlets\n");
  EXPECT_THAT(all, HasSubstr(" ms left  grove.Echo/patient Sleep\n"));
  EXPECT_THAT(first.ask("stacks\n") + second.ask("stacks\n"), HasSubstr("EchoActor::Sleep"));
  EXPECT_THAT(first.ask("hub\n"), HasSubstr("passes "));
  EXPECT_THAT(first.ask("nonsense\n"), HasSubstr("there is no command 'nonsense'"));
  EXPECT_EQ(first.ask("quit\n"), "");
  v1::Envelope cancel;
  cancel.mutable_cancel()->set_id(9);
  client.send(cancel);
  EXPECT_EQ(client.next().response().id(), 9U);
  EXPECT_EQ(server.stop().exit.code, 0) << "a visitor keeps nobody from stopping";
  EXPECT_TRUE(std::filesystem::is_empty(folder));
  std::filesystem::remove(folder);
}

TEST(back_door_of_a_worker, in_a_folder_that_is_not_there_ends_the_start) {
  const finished_process result =
      run({.arguments = {server_program(), "--backdoor", "/nowhere/at/all"}, .environment = {}, .input = {}});
  EXPECT_EQ(result.exit.code, 64);
  EXPECT_THAT(result.err, HasSubstr("flag --backdoor: no sockets can be made in '/nowhere/at/all': No such file"));
}

TEST(back_door_of_a_worker, that_cannot_be_opened_is_a_line_in_the_log) {
  std::string folder = (std::filesystem::temp_directory_path() / "grove-backdoor-XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  // Nothing but an empty folder makes room for a socket.
  std::filesystem::create_directories(folder + "/worker-0.sock/taken");
  server_process server{{.workers = 1, .more = {"--backdoor", folder}}};
  wire_client client{server.address()};
  client.greet();
  EXPECT_EQ(client.call("grove.Echo", "x", "Echo", "").code(), 0U) << "it serves all the same";
  EXPECT_THAT(server.stop().err, HasSubstr(folder + "/worker-0.sock"));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace grove::test
