// SPDX-License-Identifier: Apache-2.0
#include "worker/main/descriptor_watch.h"

#include <utility>

namespace grove {

descriptor_watch::descriptor_watch(hub& on, int fd, std::function<void()> readable)
    : descriptor_{on.io(), fd}, readable_{std::move(readable)} {
  wait();
}

descriptor_watch::~descriptor_watch() {
  stop();
}

void descriptor_watch::stop() noexcept {
  *alive_ = false;
  if (descriptor_.is_open()) (void)descriptor_.release();  // It is somebody else's to close.
}

void descriptor_watch::wait() {
  descriptor_.async_wait(asio::posix::stream_descriptor::wait_read, [this, alive = alive_](std::error_code error) {
    if (!*alive || error) return;
    readable_();
    if (*alive) wait();
  });
}

}  // namespace grove
