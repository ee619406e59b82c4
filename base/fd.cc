// SPDX-License-Identifier: Apache-2.0
#include "base/fd.h"

#include <unistd.h>

namespace grove {

void unique_fd::reset(int fd) noexcept {
  // Linux frees the number even when close fails, so a second attempt could close somebody else's descriptor.
  if (fd_ >= 0 && fd_ != fd) ::close(fd_);
  fd_ = fd;
}

}  // namespace grove
