// SPDX-License-Identifier: Apache-2.0
#include "worker/main/descriptor_watch.h"

#include <utility>

#include "base/fatal.h"

namespace grove {

descriptor_watch::descriptor_watch(hub& on, int fd, std::function<void()> readable)
    : hub_{on}, descriptor_{on.io(), fd}, readable_{std::move(readable)} {
  wait();
}

descriptor_watch::~descriptor_watch() {
  stop();
}

void descriptor_watch::stop() noexcept {
  *alive_ = false;
  disarm();
  if (descriptor_.is_open()) (void)descriptor_.release();  // It is somebody else's to close.
}

void descriptor_watch::wait() {
  descriptor_.async_wait(asio::posix::stream_descriptor::wait_read, [this, alive = alive_](std::error_code error) {
    if (*alive && !error) on_readable();
  });
}

void descriptor_watch::on_readable() {
  // The function may destroy this.
  hub& on = hub_;
  const auto alive = alive_;
  try {
    readable_();
    if (*alive) wait();
  } catch (...) {
    on.report("a watched descriptor", caught_error());
    if (*alive) arm_after(on, pause_after_error);
  }
}

}  // namespace grove
