// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "client/cli/environment.h"

namespace grove::cli {

/// A bar on stderr that is drawn over itself; nothing where that is no terminal. It is wiped when it goes.
class progress_bar {
 public:
  progress_bar(const environment& where, std::string title) : where_{where}, title_{std::move(title)} {}
  ~progress_bar();
  progress_bar(const progress_bar&) = delete;
  progress_bar& operator=(const progress_bar&) = delete;

  void show(double share, std::uint64_t count);

 private:
  const environment& where_;
  std::string title_;
  bool shown_ = false;
};

}  // namespace grove::cli
