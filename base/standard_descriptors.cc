// SPDX-License-Identifier: Apache-2.0
#include "base/standard_descriptors.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <initializer_list>

namespace grove {

void open_standard_descriptors(closed_output writes) noexcept {
  for (const int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(number, F_GETFD) >= 0 || errno != EBADF) continue;
    const bool writable = number != STDIN_FILENO && writes == closed_output::discarded;
    // It gets the lowest number that is free, which this one is: those before it are open by now.
    if (::open("/dev/null", writable ? O_WRONLY : O_RDONLY) < 0) return;  // A root without devices.
  }
}

}  // namespace grove
