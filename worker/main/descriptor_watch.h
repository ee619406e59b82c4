// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <asio/posix/stream_descriptor.hpp>
#include <chrono>
#include <functional>
#include <memory>

#include "worker/hub/hub.h"
#include "worker/hub/timer.h"

namespace grove {

/// Calls a function, in the hub's context, each time a descriptor is readable.
/// Affinity: the hub thread. Errors: what the function throws is reported to the hub, and after a pause the watch goes
/// on. Lifetime: the descriptor is borrowed.
class descriptor_watch final : private hub_timer {
 public:
  /// A function that throws without having read is called again at once, and the loop must not spin on that.
  static constexpr std::chrono::milliseconds pause_after_error{100};

  descriptor_watch(hub& on, int fd, std::function<void()> readable);
  ~descriptor_watch() override;
  descriptor_watch(const descriptor_watch&) = delete;
  descriptor_watch& operator=(const descriptor_watch&) = delete;

  void stop() noexcept;

 private:
  void wait();
  void on_readable();
  void expired() override { wait(); }

  hub& hub_;
  asio::posix::stream_descriptor descriptor_;
  std::function<void()> readable_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace grove
