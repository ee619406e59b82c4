// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "client/cli/environment.h"

namespace grove::cli {

/// The words of a command line that is being typed, without quotes; the last one is the one under the cursor, empty
/// behind a space.
[[nodiscard]] std::vector<std::string> split_line(std::string_view line);

/// Prints what the last of `words` may become, one candidate a line, with a tab and a word about it. The first of them is
/// the command (`call`). Names of types and methods come from the server that the words name; when it does not answer
/// within 250 ms there are none. Never fails and never writes to stderr.
void print_candidates(const CLI::App& app, const std::vector<std::string>& words, const environment& where);

}  // namespace grove::cli
