// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string_view>

namespace grove {

/// As long as it lives, what protobuf has to say (a string that is no UTF-8, most often) goes to a function and not to
/// stderr, where it would wait for whoever reads that. There is one at a time in a process.
class protobuf_log {
 public:
  /// Called by any thread.
  using listener = std::function<void(bool is_error, std::string_view text)>;

  explicit protobuf_log(listener say);
  ~protobuf_log();
  protobuf_log(const protobuf_log&) = delete;
  protobuf_log& operator=(const protobuf_log&) = delete;
};

}  // namespace grove
