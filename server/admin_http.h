// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <variant>

#include "server/supervisor.h"

/// As much of HTTP/1.1 as probes and scrapers need, without any I/O.
namespace grove::server {

inline constexpr std::size_t admin_request_bytes_max = 8 * 1024;

struct http_request {
  std::string method;
  std::string path;  ///< Without what follows a '?'.
};

struct http_response {
  int status = 200;
  std::string body;
  std::string type = "text/plain; charset=utf-8";
};

/// More bytes are needed.
struct http_incomplete {};

/// Reads a request's head from the bytes that have arrived so far. What is wrong with it is an answer at once.
[[nodiscard]] std::variant<http_incomplete, http_request, http_response> parse_request(std::string_view bytes);

/// What the pages show, asked for when one is requested.
struct admin_pages {
  std::function<readiness()> ready;
  std::function<std::string()> metrics;  ///< Prometheus text.
};

/// The answer to a request: /livez, /readyz, /metrics, or why not.
[[nodiscard]] http_response answer(const http_request& request, const admin_pages& pages);

/// The bytes of an answer, after which the connection closes. The answer to HEAD has no body but its length.
[[nodiscard]] std::string render(const http_response& response, bool head);

}  // namespace grove::server
