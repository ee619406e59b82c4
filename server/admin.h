// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <spdlog/logger.h>

#include <asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <memory>

#include "base/fd.h"
#include "server/admin_http.h"

namespace grove::server {

/// Serves the admin pages. A connection is one request, has 5 s and 8 KiB for it, and there are at most 64 at a time:
/// more wait in the accept queue.
class admin_server {
 public:
  static constexpr std::chrono::milliseconds request_time_default{5'000};
  static constexpr std::size_t connections_max = 64;

  /// Lifetime: `io` outlives it. Errors: std::system_error.
  admin_server(asio::io_context& io, unique_fd listener, admin_pages pages, std::shared_ptr<spdlog::logger> log,
               std::chrono::milliseconds request_time = request_time_default);
  ~admin_server();
  admin_server(const admin_server&) = delete;
  admin_server& operator=(const admin_server&) = delete;

 private:
  class connection;
  struct state;

  static void accept(const std::shared_ptr<state>& shared);

  std::shared_ptr<state> state_;
};

}  // namespace grove::server
