// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <chrono>

#include "client/cli/completion_words.h"
#include "tests/unit/client/cli_fixture.h"

namespace grove::cli {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;

class completion : public cli_test {
 protected:
  /// The candidates for the end of a command line, without what is said about them.
  std::vector<std::string> candidates(const std::string& line) {
    EXPECT_EQ(grove({"__complete", "line", line}), 0);
    EXPECT_THAT(err, IsEmpty());
    std::vector<std::string> words;
    std::istringstream lines{out};
    for (std::string each; std::getline(lines, each);)
      words.push_back(each.substr(0, each.find('\t')));
    return words;
  }
};

TEST_F(completion, has_a_script_for_each_shell) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    EXPECT_EQ(grove({"completion", shell}), 0);
    EXPECT_THAT(out, HasSubstr("__complete")) << shell;
  }
}

TEST_F(completion, knows_commands_and_options) {
  EXPECT_THAT(candidates("grove "),
              ElementsAre("call", "tell", "watch", "types", "describe", "ps", "bench", "completion"));
  EXPECT_THAT(candidates("grove de"), ElementsAre("describe"));
  EXPECT_THAT(candidates("grove --server localhost:1 de"), ElementsAre("describe"));
  EXPECT_THAT(candidates("grove bench --sc"), ElementsAre("--scenario"));
  EXPECT_THAT(candidates("grove bench --scenario "), ElementsAre("concurrency", "parallelism"));
  EXPECT_THAT(candidates("grove bench --scenario=p"), ElementsAre("--scenario=parallelism"));
  EXPECT_THAT(candidates("grove completion f"), ElementsAre("fish"));
  EXPECT_THAT(candidates("grove call --"), IsSupersetOf({"--server", "--timeout", "--compact", "--metadata"}));
  EXPECT_THAT(candidates("grove call --"), Not(Contains("--idempotency-key")));
  EXPECT_THAT(candidates("grove types --json --j"), IsEmpty());
  EXPECT_THAT(candidates("grove types --server "), IsEmpty());
}

TEST_F(completion, asks_the_server_for_types_and_methods) {
  EXPECT_THAT(candidates("grove call gr"), ElementsAre("grove.Counter/"));
  EXPECT_THAT(candidates("grove call grove.Counter/"), IsEmpty()) << "keys are not known";
  EXPECT_THAT(candidates("grove call grove.Counter/a "), ElementsAre("Add", "Get", "Reset"));
  EXPECT_THAT(candidates("grove tell -m a=b 'grove.Counter/a b' R"), ElementsAre("Reset"));
  EXPECT_THAT(candidates("grove watch gr"), IsEmpty()) << "no method of it streams";
  EXPECT_THAT(candidates("grove describe gr"), ElementsAre("grove.Counter"));
  EXPECT_THAT(candidates("grove describe grove.Counter G"), ElementsAre("Get"));
  EXPECT_THAT(candidates("grove bench --type gr"), ElementsAre("grove.Counter"));
  EXPECT_THAT(candidates("grove bench --method "), ElementsAre("Add", "Get", "Reset"));
  EXPECT_THAT(candidates("grove call grove.Counter/a Add "), IsEmpty());
}

TEST_F(completion, asks_the_server_that_the_command_line_names) {
  EXPECT_THAT(candidates("grove call --server nonsense gr"), IsEmpty());
  EXPECT_THAT(candidates("grove --server=" + actors.address() + " call gr"), ElementsAre("grove.Counter/"));
}

TEST_F(completion, is_silent_and_quick_without_an_answer) {
  actors.change([](test::fake_server& server) { server.on_request = [](auto&, const wire::request_view&) {}; });
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_THAT(candidates("grove call gr"), IsEmpty());
  // Its own limit is 250 ms; the rest is for a machine that is busy.
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds{5});
  actors.change([](test::fake_server& server) { server.stop_listening(); });
  EXPECT_THAT(candidates("grove call gr"), IsEmpty());
}

TEST(split_line, takes_words_as_a_shell_does) {
  EXPECT_THAT(split_line("grove call"), ElementsAre("grove", "call"));
  EXPECT_THAT(split_line("grove  call "), ElementsAre("grove", "call", ""));
  EXPECT_THAT(split_line("a 'b \"c' d\\ e \"f g"), ElementsAre("a", "b \"c", "d e", "f g"));
  EXPECT_THAT(split_line("a ''"), ElementsAre("a", ""));
  EXPECT_THAT(split_line(""), ElementsAre(""));
}

}  // namespace
}  // namespace grove::cli
