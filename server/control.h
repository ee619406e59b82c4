// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>
#include <string_view>

#include "base/fd.h"

namespace grove::v1 {
class ControlMessage;
}

namespace grove::server {

/// The two ends of a control connection: packets with their bounds kept. Both close-on-exec; ours does not block.
struct control_pair {
  unique_fd ours;
  unique_fd theirs;
};
[[nodiscard]] control_pair make_control_pair();

/// The supervisor's end of the socket to one worker process.
class control_channel : public std::enable_shared_from_this<control_channel> {
 public:
  struct events {
    std::function<void(const v1::ControlMessage&)> message;
    std::function<void(std::string_view why)> lost;  ///< At most once, and nothing follows it.
  };

  control_channel(asio::io_context& io, unique_fd fd, events on);

  /// Begins to read.
  void open();

  /// Reports what has arrived already, without waiting: for when the process is known to have ended.
  void read_what_is_there();

  /// Nothing is reported afterwards.
  void close() noexcept;

  /// False when the worker cannot be reached: it has closed its end or does not read.
  [[nodiscard]] bool send(const v1::ControlMessage& message);

 private:
  void wait();
  void lose(std::string_view why);

  asio::posix::stream_descriptor socket_;
  events on_;
};

}  // namespace grove::server
