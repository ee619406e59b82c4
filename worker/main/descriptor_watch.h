// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>

#include "worker/hub/hub.h"

namespace grove {

/// Calls a function, in the hub's context, each time a descriptor is readable.
/// Affinity: the hub thread. Lifetime: the descriptor is borrowed.
class descriptor_watch {
 public:
  descriptor_watch(hub& on, int fd, std::function<void()> readable);
  ~descriptor_watch();
  descriptor_watch(const descriptor_watch&) = delete;
  descriptor_watch& operator=(const descriptor_watch&) = delete;

  void stop() noexcept;

 private:
  void wait();

  asio::posix::stream_descriptor descriptor_;
  std::function<void()> readable_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace grove
