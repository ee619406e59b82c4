// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace grove::server::detail {

/// One value that somebody set, and where.
struct setting {
  std::string key;     ///< "drain-timeout", "limits.key-bytes-max".
  std::string value;   ///< As text, whatever its type was.
  std::string origin;  ///< "flag --workers", "grove.toml:3".
};

/// Flattens a TOML document into settings, in the order of its lines; a table with nothing in it is one with a key that
/// ends in a dot ("limits.").
/// Errors: returns what is wrong, with file and line, when it is not TOML.
[[nodiscard]] std::optional<std::string> read_settings(std::string_view text, const std::string& file,
                                                       std::vector<setting>& out);

}  // namespace grove::server::detail
