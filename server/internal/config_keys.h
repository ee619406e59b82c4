// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "server/config.h"

namespace grove::server::detail {

/// What is wrong with a value, as the end of a sentence ("must be ..."); empty when nothing is.
using complaint = std::optional<std::string>;

/// The numbers that a setting takes, as counts or milliseconds.
struct value_range {
  std::uint64_t least = 0;
  std::uint64_t most = 0;
  std::string (*text)(std::uint64_t) = nullptr;  ///< How a person writes one; null: the setting is no number.

  /// "1KiB to 16MiB".
  [[nodiscard]] std::string to_string() const { return text(least) + " to " + text(most); }
};

/// One setting: it has the same name as a flag (`--name`), in the file (`name`, a dot opening a table) and in the
/// environment (`GROVE_NAME`), and its value the same text everywhere.
struct config_key {
  std::string_view name;
  std::string_view value;  ///< What the help calls its value.
  std::string_view help;
  std::string (*current)(const server_config&);  ///< Its value as text, for the help.
  complaint (*set)(const config_key& key, std::string_view text, server_config&);
  value_range range{};
  bool always_refused = false;  ///< By this version; the help does not show it.
};

/// All settings but `config` itself, in the order of the help.
[[nodiscard]] std::span<const config_key> config_keys() noexcept;

/// Null when there is none.
[[nodiscard]] const config_key* find_config_key(std::string_view name) noexcept;

/// "drain-timeout" to "GROVE_DRAIN_TIMEOUT".
[[nodiscard]] std::string environment_name(std::string_view key);

}  // namespace grove::server::detail
