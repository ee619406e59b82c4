// SPDX-License-Identifier: Apache-2.0
// The back door through its real socket: the client's side blocks nowhere, since the hub's side answers whenever the
// test lets it run.
#include "worker/io/backdoor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

#include "base/fd.h"
#include "tests/support/hub_fixture.h"
#include "worker/tasks/event.h"
#include "worker/tasks/task.h"

namespace grove {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

class back_door : public hub_fixture {
 protected:
  back_door() {
    std::string name = (std::filesystem::temp_directory_path() / "grove-backdoor-XXXXXX").string();
    folder = ::mkdtemp(name.data());
    path = folder + "/hub.sock";
  }
  ~back_door() override {
    door.reset();
    std::filesystem::remove_all(folder);
  }
  void TearDown() override {
    door.reset();
    EXPECT_FALSE(std::filesystem::exists(path));
    hub_fixture::TearDown();
  }

  backdoor& open(backdoor_options options = {}) {
    options.path = path;
    return door.emplace(loop, std::move(options));
  }

  /// One client.
  class client {
   public:
    explicit client(back_door& test)
        : test_(test), socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
      sockaddr_un address{};
      address.sun_family = AF_UNIX;
      test.path.copy(address.sun_path, sizeof address.sun_path - 1);
      EXPECT_EQ(::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    }
    /// All that there is to read now.
    std::string read() {
      test_.loop.run_ready();
      std::string text;
      char room[4096];
      for (ssize_t bytes = 0; (bytes = ::read(socket_.get(), room, sizeof room)) >= 0;) {
        if (bytes == 0) {
          closed = true;
          break;
        }
        text.append(room, static_cast<std::size_t>(bytes));
        test_.loop.run_ready();
      }
      return text;
    }
    std::string ask(const std::string& line) {
      EXPECT_EQ(::send(socket_.get(), line.data(), line.size(), MSG_NOSIGNAL), static_cast<ssize_t>(line.size()));
      return read();
    }
    bool closed = false;

   private:
    back_door& test_;
    unique_fd socket_;
  };

  std::string folder;
  std::string path;
  std::optional<backdoor> door;
};

TEST_F(back_door, greets_with_a_banner_and_its_commands) {
  open({.banner = "grove worker 3"});
  client person(*this);
  const std::string hello = person.read();
  EXPECT_THAT(hello, testing::StartsWith("grove worker 3\n"));
  for (const char* command : {"help ", "greenlets ", "stack ", "stacks ", "hub ", "quit "})
    EXPECT_THAT(hello, HasSubstr(std::string("\n") + command));
  EXPECT_THAT(hello, EndsWith("\n> "));
  EXPECT_EQ(person.ask("\n"), "> ");
  EXPECT_EQ(person.ask("  quit \r\n"), "");
  EXPECT_TRUE(person.closed);
  EXPECT_EQ(door->clients(), 0U);
}

TEST_F(back_door, says_what_is_wrong_with_a_command) {
  open();
  client person(*this);
  person.read();
  EXPECT_EQ(person.ask("evil\n"), "there is no command 'evil'; `help` lists them\n> ");
  EXPECT_EQ(person.ask("stack it\n"), "'it' is no address of a greenlet; `greenlets` lists them\n> ");
  EXPECT_EQ(person.ask("stack 0x10\n"), "there is no greenlet 0x10 any more\n> ");
  EXPECT_EQ(person.ask("stack 0x10zz\n"), "'0x10zz' is no address of a greenlet; `greenlets` lists them\n> ");
}

TEST_F(back_door, shows_greenlets_with_what_they_wait_for_and_their_stacks) {
  event never(loop);
  auto waiting = spawn([&] { never.wait(); });
  waiting->set_name("patient");
  auto asleep = spawn([] { sleep_for(1500ms); });
  asleep->set_name("sleeper");
  auto later = spawn_later(1h, [] {});
  loop.run_ready();
  open({.label = [](const greenlet& of, char* text, std::size_t bytes) noexcept {
    return of.name() == "patient" ? std::string_view("Account/alice Deposit").copy(text, bytes) : 0;
  }});
  client person(*this);
  person.read();
  const std::string all = person.ask("greenlets\n");
  EXPECT_THAT(all,
              AllOf(HasSubstr("'patient'  waits in line  Account/alice Deposit\n"),
                    HasSubstr("'sleeper'  waits, 1500 ms left\n"), HasSubstr("not started, starts in 3600000 ms\n"),
                    HasSubstr("'back door client'  runs\n"), HasSubstr("the hub\n"), Not(HasSubstr("#0"))));
  const std::size_t name = all.find("  'patient'");
  const std::size_t line = all.rfind('\n', name) + 1;
  const std::string address = all.substr(all.find("0x", line), name - all.find("0x", line));
  const std::string stack = person.ask("stack " + address + "\n");
  EXPECT_THAT(stack, AllOf(HasSubstr("'patient'"), HasSubstr("#0 "), HasSubstr("grove::event::wait"), EndsWith("> ")));
  EXPECT_THAT(person.ask("stacks\n"),
              AllOf(HasSubstr("'patient'"), HasSubstr("grove::event::wait"), HasSubstr("grove::sleep_for")));
  EXPECT_THAT(person.ask("hub\n"), AllOf(HasSubstr("passes "), HasSubstr("tasks 5\n"), HasSubstr("timers 2\n")));
  never.set();
  asleep->kill(kill_mode::do_not_wait);
  later->kill(kill_mode::do_not_wait);
}

TEST_F(back_door, serves_many_at_once_and_sends_more_away) {
  open({.clients_max = 2});
  client first(*this);
  client second(*this);
  EXPECT_THAT(first.read(), EndsWith("> "));
  EXPECT_THAT(second.read(), EndsWith("> "));
  client third(*this);
  EXPECT_EQ(third.read(), "2 clients are here already\n");
  EXPECT_TRUE(third.closed);
  EXPECT_THAT(second.ask("hub\n"), EndsWith("> "));
  EXPECT_THAT(first.ask("hub\n"), EndsWith("> ")) << "in any order";
  EXPECT_EQ(door->clients(), 2U);
}

TEST_F(back_door, takes_several_lines_at_once_and_none_that_is_too_long) {
  open({.line_bytes_max = 32});
  client person(*this);
  person.read();
  EXPECT_EQ(person.ask("\n\n\n"), "> > > ");
  EXPECT_EQ(person.ask(std::string(32, 'x')), "a line may have 32 bytes\n");
  EXPECT_TRUE(person.closed);
}

TEST_F(back_door, runs_commands_of_others_which_may_wait_or_fail) {
  open();
  event go(loop);
  door->add_command("wait", "waits", [&](std::string_view arguments) {
    go.wait();
    return "waited for " + std::string(arguments) + "\n";
  });
  door->add_command("fail", "fails", [](std::string_view) -> std::string { throw std::runtime_error("broken"); });
  client person(*this);
  EXPECT_THAT(person.read(), HasSubstr("wait  waits\n"));
  EXPECT_EQ(person.ask("fail\n"), "fail failed: broken\n> ");
  EXPECT_EQ(person.ask("wait  for it \n"), "");
  go.set();
  EXPECT_EQ(person.read(), "waited for for it\n> ");
}

TEST_F(back_door, is_open_to_its_user_only) {
  open();
  struct stat found {};
  ASSERT_EQ(::stat(path.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0600U);
  static_assert(may_enter_backdoor(0, 1000) && may_enter_backdoor(1000, 1000));
  static_assert(!may_enter_backdoor(1001, 1000) && !may_enter_backdoor(1000, 0));
}

TEST_F(back_door, replaces_a_socket_that_nobody_listens_at_and_nothing_else) {
  open();
  EXPECT_THROW(backdoor(loop, {.path = path}), std::system_error) << "somebody listens";
  EXPECT_THAT(client(*this).read(), EndsWith("> "));
  door.reset();
  loop.run_ready();
  {
    const unique_fd stale(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(stale.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  open();
  EXPECT_THAT(client(*this).read(), EndsWith("> "));
  door.reset();
  std::ofstream(path) << "precious";
  EXPECT_THROW(open(), std::system_error);
  EXPECT_EQ(std::filesystem::file_size(path), 8U);
  std::filesystem::remove(path);
  EXPECT_THROW(backdoor(loop, {.path = folder + "/" + std::string(200, 'x')}), std::system_error);
  EXPECT_THROW(backdoor(loop, {.path = folder + "/none/x"}), std::system_error);
}

TEST_F(back_door, ends_its_clients_with_itself) {
  open();
  client person(*this);
  person.read();
  door.reset();
  EXPECT_EQ(person.read(), "");
  EXPECT_TRUE(person.closed);
}

TEST_F(back_door, may_be_closed_by_one_of_its_commands) {
  open();
  door->add_command("close", "closes the back door", [&](std::string_view) {
    door.reset();
    return std::string("closed\n");
  });
  client person(*this);
  client other(*this);
  person.read();
  other.read();
  EXPECT_EQ(person.ask("close\n"), "closed\n");
  EXPECT_TRUE(person.closed);
  EXPECT_EQ(other.read(), "");
  EXPECT_TRUE(other.closed);
}

}  // namespace
}  // namespace grove
