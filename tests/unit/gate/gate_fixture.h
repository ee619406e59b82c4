// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/process/shared_metrics.h"
#include "grove/v1/builtin.pb.h"
#include "grove/v1/wire.pb.h"
#include "tests/support/actor_world.h"
#include "worker/gate/frame_protocol.h"
#include "worker/gate/gate.h"
#include "worker/gate/topology.h"

namespace grove::test {

/// The client's end of a connection to a gate in this process. It never blocks.
class gate_client {
 public:
  explicit gate_client(unique_fd its_end) : socket_{std::move(its_end)} {}

  /// Fails the test when the kernel does not take all of it.
  void send_bytes(std::string_view bytes);
  void send(const v1::Envelope& envelope);

  /// Sends nothing more, and reads on.
  void end_input();
  /// Goes away altogether.
  void hang_up() { socket_.reset(); }

  /// The frames that are there. What the server has closed is `closed` afterwards.
  std::vector<v1::Envelope> receive();
  [[nodiscard]] bool closed() const noexcept { return closed_; }

 private:
  unique_fd socket_;
  std::string received_;
  bool closed_ = false;
};

/// A gate with the built-in actors behind it and socket pairs in front, in one thread and its own time. A test changes
/// `bounds` before it connects.
class gate_test : public actor_world, public topology {
 protected:
  gate_test();
  explicit gate_test(void (*add_types)(actor_types&));
  ~gate_test() override;

  /// A connection that has not said anything; `already_read` as `gate::adopt` has it.
  std::unique_ptr<gate_client> connect(std::string_view already_read = {});
  /// One that has been welcomed.
  std::unique_ptr<gate_client> greeted();

  /// Sends, lets things happen, and returns what the client got.
  std::vector<v1::Envelope> exchange(gate_client& client, const v1::Envelope& envelope);
  void check_invariants() const override;
  /// The response to a request, which must come.
  v1::Response response_to(gate_client& client, const v1::Envelope& request);

  [[nodiscard]] std::uint32_t own_slot() const noexcept override { return 0; }
  [[nodiscard]] std::uint32_t workers() const noexcept override { return 1; }
  [[nodiscard]] std::uint32_t partitions() const noexcept override { return 1; }
  [[nodiscard]] std::uint32_t owner_of_partition(std::uint32_t) const noexcept override { return 0; }
  [[nodiscard]] bool pass_connection(std::uint32_t, byte_stream&, std::string_view) override { return false; }

  worker_metrics metrics{};
  frame_protocol_factory frames;
  std::unique_ptr<gate> front;
};

[[nodiscard]] v1::Envelope hello();
[[nodiscard]] v1::Envelope request_for(std::uint64_t id, std::string_view type, std::string_view key,
                                       std::string_view method, const google::protobuf::MessageLite& payload);
[[nodiscard]] v1::Envelope echo_of(std::uint64_t id, std::size_t text_bytes);
[[nodiscard]] v1::Envelope sleep_of(std::uint64_t id, std::chrono::milliseconds time);
[[nodiscard]] std::string bytes_of_frame(const v1::Envelope& envelope);

}  // namespace grove::test
