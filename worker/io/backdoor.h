// SPDX-License-Identifier: Apache-2.0
#pragma once

// A back door into a running hub, for a person with `nc -U` or socat: a Unix socket that answers what its greenlets do.
// gevent's BackdoorServer opens a console for any code; this one only shows, and only to those who could as well attach
// a debugger.
//
// - One line, one command; the answer ends with the prompt.
// - The socket has mode 0600, and the peer must be root or the user of this process: the kernel says who it is.
// - Each client has a greenlet of its own. Bounded are the clients, the length of a line, and the time to write.

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "worker/greenlet/overflow_report.h"
#include "worker/greenlet/unique_function.h"

namespace grove {

class hub;

struct backdoor_options {
  std::string path;                  ///< of the socket; one that nobody listens at is replaced
  std::string banner = "grove";      ///< the first line that a client reads
  std::size_t clients_max = 16;      ///< more are told so and sent away
  std::size_t line_bytes_max = 256;  ///< of a command; a longer one ends the connection
  overflow_label label = nullptr;    ///< says what runs in a greenlet: its actor
};

class backdoor {
 public:
  static constexpr std::string_view prompt = "> ";
  using command = unique_function<std::string(std::string_view arguments)>;

  /// Listens from now on.
  /// Affinity: the hub's thread, as everything here.
  /// Errors: std::system_error with the path, also if somebody listens there or it is no socket.
  backdoor(hub& on, backdoor_options options);
  /// Ends the clients and removes the socket.
  ~backdoor();
  backdoor(const backdoor&) = delete;
  backdoor& operator=(const backdoor&) = delete;

  /// A further command; `call` may wait. What it throws is told to the client.
  void add_command(std::string name, std::string help, command call);
  [[nodiscard]] std::size_t clients() const noexcept;

 private:
  class server;
  std::shared_ptr<server> server_;
};

/// Root, and the user that the process runs as.
[[nodiscard]] constexpr bool may_enter_backdoor(uid_t peer, uid_t own) noexcept {
  return peer == 0 || peer == own;
}

}  // namespace grove
