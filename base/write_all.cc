// SPDX-License-Identifier: Apache-2.0
#include "base/write_all.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace grove {

int write_all(int fd, std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      // Somebody who shares the terminal or the pipe has made it non-blocking.
      pollfd waiting{fd, POLLOUT, 0};
      static_cast<void>(::poll(&waiting, 1, -1));
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

}  // namespace grove
