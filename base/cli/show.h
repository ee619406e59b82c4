// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace grove::command_line {

/// Says the last words of `program`, which it ends with `code`: on stdout when that is 0, else on stderr. Returns the
/// exit code: another one when what was asked for could not be written; a reader that has gone away is no error.
[[nodiscard]] int show(std::string_view program, std::string_view text, int code);

}  // namespace grove::command_line
