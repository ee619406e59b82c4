// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "acts.pb.h"
#include "grove/v1/wire.pb.h"
#include "tests/simulation/oracle.h"
#include "tests/support/memory_stream.h"
#include "tests/support/simulated_server.h"

namespace grove::test {

/// A client that sends what a seed says over a connection at a time, reads when it likes to, and tells the oracle what it
/// got.
class simulated_client {
 public:
  /// Lifetime: all is borrowed.
  simulated_client(simulated_server& server, oracle& judge, std::uint64_t& last_id) noexcept
      : server_{server}, judge_{judge}, last_id_{last_id} {}

  /// Does something that a client does; with `calm` it only reads, and what it has asked for comes to its end.
  void step(bool calm);

  /// The server drains from now on: it ends what it has begun.
  void expect_drain() noexcept { drains_ = peer_ != nullptr && !peer_->server_lost(); }
  /// Whether it waits for nothing.
  [[nodiscard]] bool is_done() const noexcept { return peer_ == nullptr || (calls_.empty() && unsent_.empty()); }
  [[nodiscard]] std::uint64_t asked() const noexcept { return asked_; }
  [[nodiscard]] std::uint64_t answered() const noexcept { return answered_; }
  [[nodiscard]] std::uint64_t cut() const noexcept { return cut_; }

 private:
  struct call {
    std::uint64_t act = 0;
    bool one_way = false;
    bool streams = false;
    std::uint64_t items = 0;
  };

  [[nodiscard]] std::uint32_t draw(std::uint32_t below) { return server_.random().below(below); }
  void connect();
  void send_some();
  void read();
  void take(const v1::Envelope& envelope);
  void take_response(const v1::Response& response);
  void take_item(const v1::Item& item);
  void ask();
  void cancel();
  void lose_connection();
  void append(const v1::Envelope& envelope);
  [[nodiscard]] std::string draw_key();
  void draw_act(simulation::ActRequest& into, oracle::kind what, std::string_view to, int depth);
  void draw_step(simulation::Step& into, int depth);

  simulated_server& server_;
  oracle& judge_;
  std::uint64_t& last_id_;  ///< Of acts, over all clients.
  std::shared_ptr<memory_peer> peer_;
  std::uint64_t identity_ = 0;
  std::uint64_t numbers_ = 0;
  std::uint64_t last_request_ = 0;
  std::map<std::uint64_t, call> calls_;  ///< By the request's number on this connection.
  std::string unsent_;
  std::string received_;
  bool drains_ = false;
  std::uint64_t asked_ = 0;
  std::uint64_t answered_ = 0;
  std::uint64_t cut_ = 0;
};

}  // namespace grove::test
