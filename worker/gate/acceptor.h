// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <asio/ip/tcp.hpp>
#include <memory>

#include "base/descriptor_reserve.h"
#include "base/fd.h"
#include "worker/gate/byte_stream.h"
#include "worker/hub/hub.h"
#include "worker/hub/timer.h"

namespace grove {

class protocol_factory;

/// A socket to accept from, and what is spoken there. Lifetime: the descriptor stays open, the protocol outlives all.
struct gate_listener {
  int descriptor;
  protocol_factory& speaks;
};

/// What an acceptor asks and tells the worker that it accepts for.
class acceptor_owner {
 public:
  acceptor_owner() = default;
  acceptor_owner(const acceptor_owner&) = delete;
  acceptor_owner& operator=(const acceptor_owner&) = delete;
  virtual ~acceptor_owner() = default;

  /// Asked before each accept: while it says no, connections are left to the other workers.
  [[nodiscard]] virtual bool may_accept() = 0;
  virtual void accepted(std::unique_ptr<byte_stream> connected, protocol_factory& speaks) = 0;

  /// A connection waits and cannot be accepted: `error` is a shortage (base/descriptor_reserve.h).
  virtual void ran_short(int error) = 0;
  /// Whether another worker can accept what waits.
  [[nodiscard]] virtual bool others_have_room() = 0;
  /// Nobody can serve this one: it is to be told why, and closed before this returns.
  virtual void turn_away(unique_fd connected, const protocol_factory& speaks, int error) = 0;
};

/// Accepts from the listening socket that all workers share. In want of descriptors it leaves connections to the workers
/// that have some; when none has, it takes them with its reserve and has them turned away.
/// Affinity: the worker's hub thread. Errors: what the owner throws is reported to the hub, and after a pause the acceptor
/// goes on.
class acceptor final : private hub_timer {
 public:
  /// Lifetime: all is borrowed; the other workers go on accepting from the listener.
  acceptor(hub& loop, const gate_listener& from, descriptor_reserve& reserve, acceptor_owner& owner);
  ~acceptor() override;

  void stop();

 private:
  void wait();
  template <class Step>
  void attempt(Step step);
  void accept_some();
  void take(unique_fd connected);
  [[nodiscard]] unique_fd accept_one();
  void on_shortage(int error);
  void look_at_shortage();
  void turn_some_away(int error);
  [[nodiscard]] bool somebody_waits();
  void expired() override;

  hub& hub_;
  protocol_factory& speaks_;
  descriptor_reserve& reserve_;
  acceptor_owner& owner_;
  asio::ip::tcp::acceptor socket_;
  int shortage_ = 0;  // The error of the shortage that lasts; 0: none does.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace grove
