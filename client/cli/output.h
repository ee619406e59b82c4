// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <ostream>
#include <span>
#include <streambuf>
#include <string>
#include <string_view>

#include "client/cli/environment.h"

namespace grove::cli {

/// The output of the program: keeps the errno of the first write that failed, which std::cout forgets, and takes nothing
/// more from then on.
class descriptor_output final : public std::streambuf {
 public:
  /// Lifetime: `fd` is borrowed.
  explicit descriptor_output(int fd) : fd_{fd} { setp(bytes_.data(), bytes_.data() + bytes_.size()); }
  ~descriptor_output() override { sync(); }
  descriptor_output(const descriptor_output&) = delete;
  descriptor_output& operator=(const descriptor_output&) = delete;

 private:
  int overflow(int byte) override;
  /// Errors: -1, and errno says why.
  int sync() override;

  int fd_;
  int trouble_ = 0;
  std::array<char, 16U * 1024> bytes_{};
};

/// Flushes. Returns 0 when everything that was ever written to `out` has arrived, else the errno of what has not.
[[nodiscard]] int flush_and_look(std::ostream& out);

/// Writes an error: "grove: " and what is wrong, below it the advice. All that goes to a person on stderr goes through here:
/// servers and arguments may say anything, so each is one line that is safe to show, whatever bytes it has.
void print_error(std::ostream& err, std::string_view what, std::span<const std::string> advice = {});

/// Prints a line of JSON; on a terminal indented, unless the command has --compact.
void print_json(const std::string& json, const common_options& options, const environment& where);

}  // namespace grove::cli
