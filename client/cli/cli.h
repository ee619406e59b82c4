// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "client/cli/environment.h"

namespace grove::cli {

/// Runs the command line (without the program's name) and returns the exit code of base/exit_codes.h.
[[nodiscard]] int run(const std::vector<std::string>& arguments, const environment& where);

}  // namespace grove::cli
