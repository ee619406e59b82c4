// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/text.h"
#include "client/cli/environment.h"
#include "client/load/load.h"

namespace grove::cli {

/// A bar on stderr that is drawn over itself, with the answers, their rate and the time left; nothing where that is no
/// terminal. It is wiped when it goes.
class progress_bar {
 public:
  progress_bar(const environment& where, std::string_view title) : where_{where}, title_{printable(title)} {}
  ~progress_bar();
  progress_bar(const progress_bar&) = delete;
  progress_bar& operator=(const progress_bar&) = delete;

  void show(const load_state& state);

 private:
  const environment& where_;
  std::string title_;
  load_state last_;
  bool shown_ = false;
};

/// "0:07", "1:02:03"; for a progress bar.
[[nodiscard]] std::string time_left(const load_state& state);

}  // namespace grove::cli
