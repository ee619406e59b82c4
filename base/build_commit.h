// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/version.h"

namespace grove {

/// The git commit that this program was built from: twelve digits, then `-dirty` where files differed from it; empty
/// where no commit was known. In a library of its own (grove::build_commit), because whatever links it is linked anew for
/// each commit.
extern const std::string_view build_commit;

/// "0.1.0 (commit 8735d4c0b1a2)", or "0.1.0": for a person who asks which build this is.
[[nodiscard]] inline std::string version_and_commit() {
  std::string text{version};
  if (!build_commit.empty()) text.append(" (commit ").append(build_commit).append(")");
  return text;
}

}  // namespace grove
