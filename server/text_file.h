// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace grove::server {

/// Reads a whole small file; empty when that is not possible, and errno says why. What reads files takes one, so that a test can make
/// files up.
using file_reader = std::function<std::optional<std::string>(const std::string& path)>;

/// The file_reader of a real server.
[[nodiscard]] std::optional<std::string> read_text_file(const std::string& path);

/// Why this process can make no files in a folder, in the system's words; empty: it can.
[[nodiscard]] std::optional<std::string> folder_trouble(const std::string& path);

}  // namespace grove::server
