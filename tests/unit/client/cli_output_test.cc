// SPDX-License-Identifier: Apache-2.0
// What becomes of output: written, not written, for a person or for a program.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <cerrno>
#include <streambuf>

#include "base/fd.h"
#include "client/cli/output.h"
#include "client/cli/pretty_json.h"
#include "tests/unit/client/cli_fixture.h"

namespace grove::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// An output that cannot be written, for a reason.
class closed_output : public std::streambuf {
 public:
  explicit closed_output(int reason) : reason_{reason} {}

 private:
  int overflow(int) override {
    errno = reason_;
    return traits_type::eof();
  }
  int sync() override {
    errno = reason_;
    return -1;
  }
  int reason_;
};

const std::vector<std::vector<std::string>> commands_that_print = {{"call", "grove.Counter/a", "Get"},
                                                                   {"watch", "grove.Topic/news", "Subscribe"},
                                                                   {"types"},
                                                                   {"types", "--json"},
                                                                   {"describe", "grove.Counter"},
                                                                   {"ps"},
                                                                   {"bench", "-n", "10"},
                                                                   {"completion", "bash"},
                                                                   {"--help"},
                                                                   {"call", "--help"},
                                                                   {"--version"}};

TEST_F(cli_test, output_that_cannot_be_written_is_an_error_of_every_command) {
  closed_output full{ENOSPC};
  for (const auto& command : commands_that_print) {
    std::ostream to_out{&full};
    EXPECT_EQ(grove_to(to_out, command), 1) << command.front();
    EXPECT_THAT(err, HasSubstr("grove: cannot write the output: No space left on device")) << command.front();
  }
}

TEST_F(cli_test, a_reader_that_has_gone_is_no_error_of_any_command) {
  closed_output gone{EPIPE};
  for (const auto& command : commands_that_print) {
    std::ostream to_out{&gone};
    EXPECT_EQ(grove_to(to_out, command), 0) << command.front();
    EXPECT_THAT(err, IsEmpty()) << command.front();
  }
}

TEST_F(cli_test, a_call_that_failed_keeps_its_own_error) {
  closed_output full{ENOSPC};
  std::ostream to_out{&full};
  EXPECT_EQ(grove_to(to_out, {"call", "grove.Counter/a", "Reset"}), 1);
  EXPECT_THAT(err, HasSubstr("FAILED_PRECONDITION: this one stays"));
}

TEST(descriptor_output, keeps_the_reason_of_the_first_write_that_failed) {
  const unique_fd full{::open("/dev/full", O_WRONLY | O_CLOEXEC)};
  descriptor_output buffer{full.get()};
  std::ostream out{&buffer};
  out << std::string(100'000, 'x');
  errno = EINTR;
  out << "more";
  EXPECT_EQ(flush_and_look(out), ENOSPC);
  EXPECT_EQ(flush_and_look(out), ENOSPC);
}

TEST(descriptor_output, writes_all_in_its_order) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const unique_fd read_end{ends[0]};
  {
    const unique_fd write_end{ends[1]};
    descriptor_output buffer{write_end.get()};
    std::ostream out{&buffer};
    out << std::string(20'000, 'a') << "b\n";
    EXPECT_EQ(flush_and_look(out), 0);
  }
  std::string all(30'000, 0);
  std::size_t size = 0;
  for (ssize_t bytes = 1; bytes > 0; size += static_cast<std::size_t>(std::max<ssize_t>(bytes, 0)))
    bytes = ::read(read_end.get(), all.data() + size, all.size() - size);
  std::string wanted(20'002, 'a');
  wanted.replace(20'000, 2, "b\n");
  EXPECT_EQ(all.substr(0, size), wanted);
}

TEST_F(cli_test, json_is_indented_on_a_terminal_unless_it_is_to_be_compact) {
  terminal = true;
  EXPECT_EQ(grove({"call", "grove.Counter/a", "Get"}), 0);
  EXPECT_EQ(out, "{\n  \"value\": \"0\"\n}\n");
  EXPECT_EQ(grove({"call", "grove.Counter/a", "Get", "--compact"}), 0);
  EXPECT_EQ(out, "{\"value\":\"0\"}\n");
  EXPECT_EQ(grove({"--compact", "types", "--json"}), 0);
  EXPECT_THAT(out, HasSubstr(R"({"types":[{"name":"grove.Counter")"));
}

struct layout {
  const char* name;
  const char* json;
  const char* indented;
};

class indented_json : public ::testing::TestWithParam<layout> {};

TEST_P(indented_json, has_a_line_a_member) {
  EXPECT_EQ(indented(GetParam().json), GetParam().indented);
}

INSTANTIATE_TEST_SUITE_P(
    table, indented_json,
    ::testing::Values(layout{"empty", "{}", "{}"}, layout{"spaces", "{ }", "{}"}, layout{"text", R"("a")", R"("a")"},
                      layout{"number", " 1 ", "1"}, layout{"list", "[1,2]", "[\n  1,\n  2\n]"},
                      layout{"nested", R"({"a":{"b":[]},"c":[{}]})",
                             "{\n  \"a\": {\n    \"b\": []\n  },\n  \"c\": [\n    {}\n  ]\n}"},
                      layout{"signs_in_strings", R"({"{\",:":"[\\"})", "{\n  \"{\\\",:\": \"[\\\\\"\n}"}),
    [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace grove::cli
