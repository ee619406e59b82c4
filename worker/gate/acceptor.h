// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <asio/ip/tcp.hpp>
#include <functional>
#include <memory>

#include "base/fd.h"
#include "worker/hub/hub.h"
#include "worker/hub/timer.h"

namespace grove {

/// Accepts from the listening socket that all workers share.
/// Affinity: the worker's hub thread.
class acceptor final : private hub_timer {
 public:
  using on_connection = std::function<void(unique_fd)>;

  /// Lifetime: `listener` is borrowed and stays open; the other workers go on accepting from it. `may_accept` is asked
  /// before each accept: while it says no, connections are left to the others.
  acceptor(hub& on, int listener, std::function<bool()> may_accept, on_connection connected);
  ~acceptor() override;

  void stop();

 private:
  void wait();
  void accept_some();
  void expired() override { wait(); }

  hub& hub_;
  std::function<bool()> may_accept_;
  on_connection connected_;
  asio::ip::tcp::acceptor socket_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace grove
