// SPDX-License-Identifier: Apache-2.0
// Completion as a person meets it: the real shells, on a terminal.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/clock.h"
#include "base/fd.h"
#include "tests/support/server_process.h"

namespace grove::test {
namespace {

/// A program on a terminal of 80 columns, with somebody who types.
class terminal {
 public:
  terminal(const std::vector<std::string>& program, const std::string& server) {
    winsize size{};
    size.ws_row = 24;
    size.ws_col = 80;
    int controller = -1;
    pid_ = ::forkpty(&controller, nullptr, nullptr, &size);
    if (pid_ == 0) {
      const std::string folder = std::filesystem::path{cli_program()}.parent_path().string();
      ::setenv("PATH", (folder + ":" + std::getenv("PATH")).c_str(), 1);
      ::setenv("GROVE_SERVER", server.c_str(), 1);
      ::setenv("TERM", "dumb", 1);
      std::vector<char*> arguments;
      for (const std::string& each : program)
        arguments.push_back(const_cast<char*>(each.c_str()));
      arguments.push_back(nullptr);
      ::execvp(arguments[0], arguments.data());
      ::_exit(127);
    }
    controller_.reset(controller);
  }
  ~terminal() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  terminal(const terminal&) = delete;
  terminal& operator=(const terminal&) = delete;

  void type(const std::string& text) {
    EXPECT_EQ(::write(controller_.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }

  /// Reads until `text` has appeared behind what was found before.
  [[nodiscard]] bool shows(const std::string& text) {
    const auto give_up = time_after(std::chrono::steady_clock::now(), std::chrono::seconds{60});
    for (;;) {
      if (const auto found = seen_.find(text, from_); found != std::string::npos) {
        from_ = found + text.size();
        return true;
      }
      pollfd waiting{controller_.get(), POLLIN, 0};
      if (std::chrono::steady_clock::now() > give_up || ::poll(&waiting, 1, 1'000) < 0) return false;
      if (waiting.revents == 0) continue;
      char piece[4096];
      const ssize_t bytes = ::read(controller_.get(), piece, sizeof piece);
      if (bytes <= 0) return false;
      seen_.append(piece, static_cast<std::size_t>(bytes));
    }
  }
  [[nodiscard]] const std::string& seen() const noexcept { return seen_; }

 private:
  pid_t pid_ = -1;
  unique_fd controller_;
  std::string seen_;
  std::size_t from_ = 0;
};

/// Where a program is; empty: it is not installed.
std::string path_of(const std::string& program) {
  const std::string found =
      run({.arguments = {"/bin/sh", "-c", "command -v " + program}, .environment = {}, .input = {}}).out;
  return found.substr(0, found.find('\n'));
}

TEST(completion, of_bash_knows_types_and_methods_of_the_server) {
  server_process server{{.workers = 1}};
  terminal bash{{"bash", "--norc", "--noprofile", "-i"}, server.address()};
  bash.type("PS1='ready''> '; source <(grove completion bash)\n");
  ASSERT_TRUE(bash.shows("ready> ")) << bash.seen();
  bash.type("grove call grove.Cou\t");
  EXPECT_TRUE(bash.shows("grove.Counter/")) << bash.seen();
  bash.type("visits A\t");
  EXPECT_TRUE(bash.shows("visits Add ")) << bash.seen();
  bash.type("\n");
  EXPECT_TRUE(bash.shows("\"value\": \"1\"")) << bash.seen();
  ASSERT_TRUE(bash.shows("ready> ")) << bash.seen();
  bash.type("grove describe --server=" + server.address() + " grove.M\t");
  EXPECT_TRUE(bash.shows("grove.Map ")) << bash.seen();
}

TEST(completion, of_zsh_knows_types_and_methods_of_the_server) {
  if (path_of("zsh").empty()) GTEST_SKIP() << "zsh is not installed: its completion is NOT tested here";
  server_process server{{.workers = 1}};
  terminal zsh{{"zsh", "-f", "-i"}, server.address()};
  zsh.type(
      "unset zle_bracketed_paste; unsetopt PROMPT_SP; autoload -Uz compinit; compinit -u -D; "
      "source <(grove completion zsh); PS1='ready''> '\n");
  ASSERT_TRUE(zsh.shows("ready> ")) << zsh.seen();
  zsh.type("grove call grove.Cou\t");
  EXPECT_TRUE(zsh.shows("nter/")) << zsh.seen();
  zsh.type("visits A\t\n");
  EXPECT_TRUE(zsh.shows("\"value\": \"1\"")) << zsh.seen();
}

TEST(completion, of_fish_knows_types_and_methods_of_the_server) {
  const std::string fish = path_of("fish");
  if (fish.empty()) GTEST_SKIP() << "fish is not installed: its completion is NOT tested here";
  server_process server{{.workers = 1}};
  const auto completed = [&server, &fish](const std::string& line) {
    return run({.arguments = {fish, "--no-config", "-c",
                              "set -p PATH (path dirname $GROVE); grove completion fish | source; complete -C '" +
                                  line + "'"},
                .environment = {{"GROVE_SERVER", server.address()}, {"GROVE", cli_program()}},
                .input = {}})
        .out;
  };
  EXPECT_EQ(completed("grove call grove.Cou"), "grove.Counter/\tAdd, Get, Reset\n");
  EXPECT_EQ(completed("grove call grove.Counter/visits A"), "Add\tgrove.v1.CounterAddRequest\n");
  EXPECT_EQ(completed("grove watch grove."), "grove.Topic/\tSubscribe\n");
}

}  // namespace
}  // namespace grove::test
