// SPDX-License-Identifier: Apache-2.0
#include "worker/hub/background_wait.h"

#include <utility>

#include "base/check.h"

namespace grove {

background_wait::background_wait(asio::io_context& io, unique_function<void()> readable)
    : io_(io), descriptor_(io), readable_(std::move(readable)) {}

void background_wait::begin(int fd) {
  GROVE_CHECK(!descriptor_.is_open(), "a descriptor is listened to in the place of another");
  descriptor_.assign(fd);
  listen();
}

void background_wait::close() noexcept {
  asio::error_code ignored;
  descriptor_.close(ignored);
}

void background_wait::listen() {
  const asio::io_context::executor_type work = io_.get_executor();
  descriptor_.async_wait(asio::posix::descriptor_base::wait_read, [this, work](const asio::error_code& error) {
    work.on_work_started();
    if (error) return;
    listen();
    readable_();
  });
  // Asio counts the wait as work that is under way, from its beginning to the end of its handler.
  work.on_work_finished();
}

}  // namespace grove
