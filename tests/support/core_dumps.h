// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/resource.h>

namespace grove::test {

/// From now on neither this process nor those that it starts leave a core dump when they abort: a test that has one
/// aborted need not wait until the disk has it.
inline void disable_core_dumps() {
  rlimit bytes{};
  ::getrlimit(RLIMIT_CORE, &bytes);
  bytes.rlim_cur = 0;
  ::setrlimit(RLIMIT_CORE, &bytes);
}

}  // namespace grove::test
