// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

#include "worker/gate/byte_stream.h"
#include "worker/hub/hub.h"

namespace grove::test {

/// A byte_stream without a socket, and its client's end in the same process: what one side sends is there for the other at
/// once, and its operation ends in the hub's next pass. The client's end outlives the stream, which the gate owns.
class memory_peer : public std::enable_shared_from_this<memory_peer> {
 public:
  /// Lifetime: `loop` is borrowed.
  explicit memory_peer(hub& loop) noexcept : loop_{loop} {}

  /// The server's end. There is one.
  [[nodiscard]] std::unique_ptr<byte_stream> server_end();

  /// So many bytes may have been written and not be taken: what a socket's buffer holds.
  void set_window(std::size_t bytes) noexcept { window_ = bytes; }

  void send(std::string_view bytes);
  /// Sends nothing more, and reads on.
  void end_input();
  /// Goes away altogether.
  void hang_up();
  /// The server's process has died: what it still writes goes nowhere.
  void lose_server() noexcept { server_lost_ = true; }
  [[nodiscard]] bool server_lost() const noexcept { return server_lost_; }
  /// What the server has written, and makes space for more.
  [[nodiscard]] std::string take();

  [[nodiscard]] bool output_ended() const noexcept { return output_ended_ || closed_; }
  [[nodiscard]] bool closed() const noexcept { return closed_; }

 private:
  class stream;
  using user = std::shared_ptr<byte_stream_user>;

  void read_if_any();
  void write_on();
  [[nodiscard]] std::size_t accept(std::string_view bytes);
  void close();

  hub& loop_;
  std::string to_server_;
  std::string to_client_;
  std::size_t window_ = 64 * 1024;
  user reader_;
  char* place_ = nullptr;
  std::size_t place_bytes_ = 0;
  user writer_;
  std::string_view unwritten_;
  std::size_t written_ = 0;
  user waits_for_hang_up_;
  bool input_ended_ = false;
  bool output_ended_ = false;
  bool gone_ = false;
  bool closed_ = false;
  bool server_lost_ = false;
};

}  // namespace grove::test
