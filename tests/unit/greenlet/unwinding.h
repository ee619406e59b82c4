// SPDX-License-Identifier: Apache-2.0
#pragma once

// What tests of unwinding look at: which frames have gone, and what was reported.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "worker/greenlet/greenlet.h"

namespace grove {

struct set_at_end {
  bool& flag;
  ~set_at_end() { flag = true; }
};

/// Collects what is reported while it exists.
class reports {
 public:
  reports()
      : previous_(set_unraisable_hook([this](const greenlet& from, std::string_view text) {
          texts.push_back(std::string(from.name()) + ": " + std::string(text));
        })) {}
  reports(const reports&) = delete;
  reports& operator=(const reports&) = delete;
  ~reports() { set_unraisable_hook(std::move(previous_)); }
  std::vector<std::string> texts;

 private:
  unraisable_hook previous_;
};

}  // namespace grove
