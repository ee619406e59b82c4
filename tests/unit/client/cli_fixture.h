// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "client/cli/cli.h"
#include "tests/unit/client/fake_actors.h"

namespace grove::cli {

/// The CLI against a fake server, with streams in place of its descriptors.
class cli_test : public ::testing::Test {
 protected:
  int grove(const std::vector<std::string>& arguments, const std::string& input = "") {
    std::ostringstream to_out;
    const int code = grove_to(to_out, arguments, input);
    out = to_out.str();
    return code;
  }
  int grove_to(std::ostream& to_out, const std::vector<std::string>& arguments, const std::string& input = "") {
    std::istringstream in{input};
    std::ostringstream to_err;
    const environment where{.in = in,
                            .out = to_out,
                            .err = to_err,
                            .out_is_terminal = terminal,
                            .err_is_terminal = terminal,
                            .colour = false,
                            .columns = 80,
                            .server_variable = actors.address(),
                            .variable_names = variable_names};
    const int code = run(arguments, where);
    err = to_err.str();
    return code;
  }

  test::fake_actors actors;
  bool terminal = false;
  std::vector<std::string> variable_names;
  std::string out;
  std::string err;
};

}  // namespace grove::cli
