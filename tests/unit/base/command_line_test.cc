// SPDX-License-Identifier: Apache-2.0
#include "base/cli/command_line.h"

#include <gmock/gmock.h>

#include <CLI/CLI.hpp>

#include "base/cli/help_page.h"
#include "base/cli/show.h"

namespace grove::command_line {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class command_line : public ::testing::Test {
 protected:
  command_line() {
    app.formatter(std::make_shared<help_page>());
    app.add_option("--name", name, "What it is called")->type_name("NAME");
    app.add_option("-n,--number", number, "How many")->required();
    app.add_flag("--loud", loud, "Much");
  }

  std::vector<std::string> empty_in(std::vector<std::string> arguments) {
    auto found = take_empty_values(app, arguments);
    left = std::move(arguments);
    return found;
  }
  std::string complaint_about(std::vector<std::string> arguments) {
    std::reverse(arguments.begin(), arguments.end());
    try {
      app.parse(std::move(arguments));
    } catch (const CLI::ParseError& error) {
      return complaint(app, error);
    }
    return "";
  }

  CLI::App app{"Words that are so many that they do not have room on one line of a terminal, which has 80 columns."};
  std::string name;
  int number = 0;
  bool loud = false;
  std::vector<std::string> left;
};

TEST_F(command_line, takes_out_options_with_nothing_behind_their_equals_sign) {
  EXPECT_THAT(empty_in({"--name=", "word", "--number="}), ElementsAre("--name", "--number"));
  EXPECT_THAT(left, ElementsAre("word"));
  EXPECT_THAT(empty_in({"-n=", "-o=", "-="}), ElementsAre("-n"));
  EXPECT_THAT(left, ElementsAre("-o=", "-="));
  EXPECT_THAT(empty_in({"-n=1", "-n==", "x", "--", "-n="}), IsEmpty());
  EXPECT_THAT(empty_in({"--name=a=", "--other=", "x=", "--", "--name="}), IsEmpty());
  EXPECT_THAT(left, ElementsAre("--name=a=", "--other=", "x=", "--", "--name="));
}

TEST_F(command_line, says_what_is_wrong_in_words_of_its_own) {
  EXPECT_EQ(complaint_about({}), "--number is missing");
  EXPECT_EQ(complaint_about({"-n"}), "--number needs a value: INT");
  EXPECT_EQ(complaint_about({"-n", "1", "--name"}), "--name needs a value: NAME");
  EXPECT_EQ(complaint_about({"-n", "1", "--nam", "x"}), "there is no option --nam; did you mean --name?");
  EXPECT_EQ(complaint_about({"-o", "json"}), "there is no option -o");
  EXPECT_EQ(complaint_about({"-n", "1", "more"}), "one argument too many: 'more'");
  EXPECT_EQ(complaint_about({"-n", "1", ""}), "one argument too many: ''");
  EXPECT_EQ(complaint_about({"-n", "1", "--name", "a", "--name", "b"}), "--name is given more than once");
  EXPECT_EQ(complaint_about({"-n", "1", "--loud=perhaps"}), "--loud takes no value");
}

TEST_F(command_line, help_fits_a_terminal) {
  std::istringstream lines{app.help()};
  for (std::string line; std::getline(lines, line);)
    EXPECT_LE(line.size(), 80U) << line;
  EXPECT_THAT(app.help(), ::testing::HasSubstr("\n  --name NAME                 What it is called\n"));
  EXPECT_THAT(app.help(), ::testing::Not(::testing::HasSubstr("REQUIRED")));
}

}  // namespace
}  // namespace grove::command_line
