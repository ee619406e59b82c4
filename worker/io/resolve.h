// SPDX-License-Identifier: Apache-2.0
#pragma once

// Names of hosts and services, looked up by the system on the threads of a pool while only the calling greenlet waits.
//
// asio::async_resolve is no way to do it here: it completes from a thread of Asio's own, and the hub's io_context runs
// without locks.
//
// - Numbers are answered at once, without a thread.
// - A timeout or a kill ends the wait. A lookup that runs goes on to its end on its thread, with copies of its own.
// - Where the answers come from can be replaced: see name_source.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "worker/io/socket_address.h"

namespace grove {

class thread_pool;

enum class address_family : std::uint8_t { any, ipv4, ipv6 };
enum class socket_kind : std::uint8_t { stream, datagram };
/// listen: an empty host means all addresses of this one; connect: its loopback address.
enum class address_use : std::uint8_t { connect, listen };

struct resolve_options {
  address_family family = address_family::any;
  socket_kind kind = socket_kind::stream;
  address_use use = address_use::connect;
};

/// name_or_number gives a number where there is no name.
enum class name_form : std::uint8_t { name_or_number, name, number };

struct reverse_options {
  name_form host = name_form::name_or_number;
  name_form service = name_form::number;  ///< name: as name_or_number
  socket_kind kind = socket_kind::stream;
};

struct resolved_name {
  std::string host;
  std::string service;
};

struct name_query {
  std::string host;
  std::string service;
  resolve_options options{};
};

/// The category of what getaddrinfo and getnameinfo fail with: EAI_NONAME and so on.
[[nodiscard]] const std::error_category& getaddrinfo_category() noexcept;

/// What answers. Its calls block.
/// Affinity: several threads of the resolver's pool at the same time.
/// Errors: std::system_error with getaddrinfo_category() (std::system_category() if the system failed), which names
/// host and service.
class name_source {
 public:
  virtual ~name_source() = default;
  [[nodiscard]] virtual std::vector<socket_address> addresses(const name_query& query) = 0;
  [[nodiscard]] virtual resolved_name name(const socket_address& of, const reverse_options& options) = 0;
};

/// The system's: /etc/hosts, DNS and whatever nsswitch.conf says.
[[nodiscard]] std::shared_ptr<name_source> system_names();

/// Affinity: hub thread.
/// Lifetime: the pool is borrowed.
class resolver {
 public:
  explicit resolver(thread_pool& threads, std::shared_ptr<name_source> names = system_names()) noexcept
      : threads_(threads), names_(std::move(names)) {}

  /// The addresses, the best one first, of a host (a name or a number) and a service (a name, a port, or nothing).
  /// Switches: unless both are numbers.
  /// Errors: as name_source has them.
  /// Cancel: nobody hears of the answer.
  [[nodiscard]] std::vector<socket_address> resolve(std::string_view host, std::string_view service,
                                                    const resolve_options& options = {});
  /// The names of an address.
  /// Switches: unless both are wanted as numbers.
  [[nodiscard]] resolved_name reverse(const socket_address& of, const reverse_options& options = {});

 private:
  thread_pool& threads_;
  std::shared_ptr<name_source> names_;
};

/// With the thread pool of the calling hub.
[[nodiscard]] std::vector<socket_address> resolve(std::string_view host, std::string_view service,
                                                  const resolve_options& options = {});
[[nodiscard]] resolved_name reverse_resolve(const socket_address& of, const reverse_options& options = {});

}  // namespace grove
