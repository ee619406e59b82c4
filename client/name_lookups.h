// SPDX-License-Identifier: Apache-2.0
#pragma once

// Names of hosts, looked up by the system on threads that nobody waits for.
//
// A silent name server holds getaddrinfo for ten seconds and more, and nothing can end it. So nobody waits for its
// thread: neither who has given up, nor who destroys the client, as it is with Asio's resolver, whose one thread is
// joined and lets a lookup wait for the one before. A host has one lookup at a time: who asks again while it is under
// way gets its answer, and a name server that stays silent costs one thread a name.
//
// An answer comes through a descriptor, since the loop of a hub takes nothing else from other threads.

#include <asio/io_context.hpp>
#include <asio/ip/address.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace grove {

struct found_addresses {
  std::vector<asio::ip::address> addresses;  ///< The best first.
  std::string error;                         ///< When there are none: why.
};

/// Affinity: threads of their own, several at a time. It may block for as long as it likes.
/// Errors: what it throws is an answer without addresses, and its text the error.
using look_up_function = std::function<found_addresses(const std::string& host)>;

/// By getaddrinfo: /etc/hosts, DNS and whatever nsswitch.conf says.
[[nodiscard]] found_addresses system_look_up(const std::string& host);

/// Affinity: the thread that runs the io_context.
class name_lookups {
 public:
  using waiter = std::function<void(const found_addresses&)>;

  /// Lifetime: `io` outlives this.
  name_lookups(asio::io_context& io, look_up_function look_up);
  /// Nobody is told of what is under way.
  ~name_lookups();
  name_lookups(const name_lookups&) = delete;
  name_lookups& operator=(const name_lookups&) = delete;

  /// Tells `then` the addresses of a host, from the loop and never from within this call. Returns a ticket.
  [[nodiscard]] std::uint64_t look_up(const std::string& host, waiter then);
  /// Nobody is told any more.
  void cancel(std::uint64_t ticket);

 private:
  struct lookup;

  void answered(const std::string& host);

  asio::io_context& io_;
  std::shared_ptr<const look_up_function> look_up_;
  std::map<std::string, std::unique_ptr<lookup>> under_way_;
  std::uint64_t last_ticket_ = 0;
  std::shared_ptr<int> alive_ = std::make_shared<int>();  ///< Until this has gone.
};

}  // namespace grove
