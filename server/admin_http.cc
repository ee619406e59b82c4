// SPDX-License-Identifier: Apache-2.0
#include "server/admin_http.h"

#include <fmt/format.h>

#include <algorithm>

namespace grove::server {
namespace {

http_response problem(int status, std::string text) {
  return {status, std::move(text) + "\n"};
}

std::string_view phrase(int status) noexcept {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Unknown";
  }
}

bool is_token(std::string_view text) noexcept {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
}

/// Every line after the first is "Name: value" with printable bytes.
bool are_fields(std::string_view lines) noexcept {
  while (!lines.empty()) {
    const auto end = std::min(lines.find("\r\n"), lines.size());
    const std::string_view line = lines.substr(0, end);
    const auto colon = line.find(':');
    if (colon == 0 || colon == std::string_view::npos || line.find(' ') < colon) return false;
    if (std::ranges::any_of(line, [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == 0x7f; })) return false;
    lines.remove_prefix(std::min(end + 2, lines.size()));
  }
  return true;
}

}  // namespace

std::variant<http_incomplete, http_request, http_response> parse_request(std::string_view bytes) {
  const auto head_end = bytes.find("\r\n\r\n");
  // The first line can be judged before the rest has come, so garbage need not wait for its time-out.
  const auto line_end = bytes.find("\r\n");
  if (std::min(head_end, bytes.size()) >= admin_request_bytes_max) {
    return problem(431, fmt::format("a request has at most {} bytes", admin_request_bytes_max));
  }
  if (line_end == std::string_view::npos) return http_incomplete{};
  const std::string_view line = bytes.substr(0, line_end);
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last || !is_token(line.substr(0, first))) {
    return problem(400, "this is not HTTP; try GET /readyz");
  }
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!version.starts_with("HTTP/")) return problem(400, "this is not HTTP; try GET /readyz");
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return problem(505, "HTTP/1.1 is spoken here");
  if (!target.starts_with('/') || target.find(' ') != std::string_view::npos) {
    return problem(400, "the path must begin with a '/' and have no spaces");
  }
  if (head_end == std::string_view::npos) return http_incomplete{};
  if (head_end > line_end && !are_fields(bytes.substr(line_end + 2, head_end - line_end - 2))) {
    return problem(400, "a header field is malformed");
  }
  return http_request{std::string{line.substr(0, first)}, std::string{target.substr(0, target.find('?'))}};
}

http_response answer(const http_request& request, const admin_pages& pages) {
  const bool known = request.path == "/livez" || request.path == "/readyz" || request.path == "/metrics";
  if (!known) return problem(404, "there are /livez, /readyz and /metrics");
  if (request.method != "GET" && request.method != "HEAD") return problem(405, "use GET or HEAD");
  if (request.path == "/livez") return {200, "ok\n"};
  if (request.path == "/metrics") return {200, pages.metrics(), "text/plain; version=0.0.4; charset=utf-8"};
  const readiness state = pages.ready();
  return {state.ready ? 200 : 503, fmt::format("{}: {}\n", state.ready ? "ready" : "not ready", state.reason)};
}

std::string render(const http_response& response, bool head) {
  return fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n{}Cache-Control: no-store\r\nConnection: "
      "close\r\n\r\n{}",
      response.status, phrase(response.status), response.type, response.body.size(),
      response.status == 405 ? "Allow: GET, HEAD\r\n" : "", head ? std::string_view{} : response.body);
}

}  // namespace grove::server
