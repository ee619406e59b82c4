// SPDX-License-Identifier: Apache-2.0
#pragma once

// One function a command: it adds the subcommand with its options and its help to `app`. When the subcommand is given,
// its callback runs it, and throws command_error when it fails.

#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "client/cli/environment.h"

namespace grove::cli {

void add_call(CLI::App& app, const environment& where);
void add_tell(CLI::App& app, const environment& where);
void add_watch(CLI::App& app, const environment& where);
void add_types(CLI::App& app, const environment& where);
void add_describe(CLI::App& app, const environment& where);
void add_ps(CLI::App& app, const environment& where);
void add_bench(CLI::App& app, const environment& where);
void add_completion(CLI::App& app, const environment& where);

/// A new subcommand, which lives as long as `app`. Commands are made here and nowhere else: whatever makes one is compiled
/// with all of CLI11, which takes seconds.
CLI::App* add_command(CLI::App& app, const std::string& name, const std::string& description);

/// What the completion scripts ask with: `__complete line LINE`, or `__complete words WORD...`. False: it is not that.
[[nodiscard]] bool answer_shell(const CLI::App& app, const std::vector<std::string>& arguments,
                                const environment& where);

}  // namespace grove::cli
