// SPDX-License-Identifier: Apache-2.0
#pragma once

// A connected socket to a host that may have several addresses, as RFC 8305 ("Happy Eyeballs") has it.
//
// - Addresses alternate between the families, in the order in which the system gives them.
// - An attempt that has come to nothing after 250 ms goes on while the next one begins beside it; one that fails lets
//   the next begin at once. The first that is connected wins, and the others are given up.
// - What failed or stayed silent comes last the next time, so that each attempt begins elsewhere; this includes an
//   address that took the connection and never said a word (`failed`).

#include <asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "client/address.h"
#include "client/io_types.h"
#include "client/name_lookups.h"

namespace grove {

/// Affinity: the thread that runs the io_context, everywhere. Held by what dials through it.
class dialer : public std::enable_shared_from_this<dialer> {
 public:
  using endpoint = asio::ip::tcp::endpoint;
  /// Gets the connected socket, or why there is none. From the loop, never from within `dial`.
  using handler = std::function<void(const status&, client_io::tcp_socket*)>;

  /// One way to a host, as long as it is sought.
  class attempt;

  dialer(asio::io_context& io, look_up_function look_up, std::chrono::milliseconds attempt_delay);
  ~dialer();
  dialer(const dialer&) = delete;
  dialer& operator=(const dialer&) = delete;

  /// Begins to connect. Unless `give_up` is called first, `then` is called once.
  [[nodiscard]] std::shared_ptr<attempt> dial(const server_address& to, handler then);

  /// Ends it without a word, and returns what it was doing: "cannot resolve HOST", "cannot connect to HOST:PORT".
  static std::string give_up(attempt& what);

  /// An address that was connected and was no server after all comes last from now on.
  void failed(const server_address& of, const endpoint& where);
  /// And one that was is forgiven what it did before.
  void worked(const server_address& of, const endpoint& where);

 private:
  friend class attempt;

  /// The addresses in the order in which they are tried. Of those that failed it keeps what the host still has.
  [[nodiscard]] std::vector<endpoint> order(const server_address& of, const found_addresses& found);

  asio::io_context& io_;
  name_lookups names_;
  std::chrono::milliseconds attempt_delay_;
  std::map<std::string, std::vector<endpoint>> failed_;  ///< By the address as text; the latest last.
};

}  // namespace grove
