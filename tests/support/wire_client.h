// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "grove/v1/wire.pb.h"

namespace grove::test {

/// A client that says exactly what a test wants it to say, right or wrong. It blocks, with a time limit on each
/// operation, and is built on protobuf's classes and not on the codec under test.
class wire_client {
 public:
  explicit wire_client(const std::string& address);

  void send_bytes(std::string_view bytes);
  void send(const v1::Envelope& envelope);

  /// Hello with the protocol's version, and the server's Welcome.
  v1::Welcome greet(std::optional<std::uint32_t> wanted_worker = std::nullopt);

  /// The next frame; empty when the server has closed the connection.
  [[nodiscard]] std::optional<v1::Envelope> receive();
  /// The next frame. Errors: std::runtime_error when the server has closed the connection.
  [[nodiscard]] v1::Envelope next();
  [[nodiscard]] std::string receive_until_closed();

  /// Sends a request and returns its response; other frames in between are skipped.
  v1::Response call(std::string_view type, std::string_view key, std::string_view method, std::string_view payload);

  /// Makes the kernel's buffers small, so that a test fills them soon.
  void shrink_receive_buffer();

 private:
  [[nodiscard]] std::string receive_exactly(std::size_t bytes);

  unique_fd socket_;
  std::uint64_t next_id_ = 1;
};

[[nodiscard]] v1::Envelope request_envelope(std::uint64_t id, std::string_view type, std::string_view key,
                                            std::string_view method, std::string_view payload);

/// Sends `count` calls of grove.Echo/`key` Spin, of a second each, and waits for none: a worker that is busy for long,
/// and in no turn for too long.
void send_spins(wire_client& client, const std::string& key, std::uint64_t count);

/// The bytes of one frame.
[[nodiscard]] std::string frame_of(const v1::Envelope& envelope);

}  // namespace grove::test
