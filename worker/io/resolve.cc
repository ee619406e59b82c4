// SPDX-License-Identifier: Apache-2.0
#include "worker/io/resolve.h"

#include <netdb.h>

#include <array>
#include <cerrno>
#include <optional>

#include "worker/io/thread_pool.h"

namespace grove {

namespace {

class getaddrinfo_errors final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "getaddrinfo"; }
  [[nodiscard]] std::string message(int code) const override { return ::gai_strerror(code); }
};

[[noreturn]] void fail(int code, int system_error, const std::string& what) {
  if (code == EAI_SYSTEM) throw std::system_error(system_error, std::system_category(), what);
  throw std::system_error(code, getaddrinfo_category(), what);
}

std::string text_of(const name_query& query) {
  return "lookup of host \"" + query.host + "\", service \"" + query.service + "\"";
}

int kind_of(socket_kind kind) {
  return kind == socket_kind::stream ? SOCK_STREAM : SOCK_DGRAM;
}

int family_of(address_family family) {
  if (family == address_family::any) return AF_UNSPEC;
  return family == address_family::ipv4 ? AF_INET : AF_INET6;
}

/// What getaddrinfo returned, and errno.
struct answer {
  std::vector<socket_address> addresses;
  int code = 0;
  int system_error = 0;
};

answer ask(const name_query& query, int flags) {
  addrinfo hints{};
  hints.ai_family = family_of(query.options.family);
  hints.ai_socktype = kind_of(query.options.kind);
  hints.ai_flags = flags | (query.options.use == address_use::listen ? AI_PASSIVE : 0);
  const char* host = query.host.empty() ? nullptr : query.host.c_str();
  const char* service = query.service.empty() ? nullptr : query.service.c_str();
  addrinfo* found = nullptr;
  answer got;
  got.code = ::getaddrinfo(host, service, &hints, &found);
  got.system_error = errno;
  if (got.code != 0) return got;
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(found, &::freeaddrinfo);
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next)
    got.addresses.emplace_back(at->ai_addr, at->ai_addrlen);
  return got;
}

resolved_name ask_back(const socket_address& of, const reverse_options& options) {
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> service{};
  int flags = options.kind == socket_kind::datagram ? NI_DGRAM : 0;
  if (options.host == name_form::name) flags |= NI_NAMEREQD;
  if (options.host == name_form::number) flags |= NI_NUMERICHOST;
  if (options.service == name_form::number) flags |= NI_NUMERICSERV;
  const int code = ::getnameinfo(of.data(), of.size(), host.data(), host.size(), service.data(), service.size(), flags);
  if (code != 0) fail(code, errno, "lookup of the name of " + of.text());
  return {host.data(), service.data()};
}

class system_name_source final : public name_source {
 public:
  std::vector<socket_address> addresses(const name_query& query) override {
    answer got = ask(query, 0);
    if (got.code != 0) fail(got.code, got.system_error, text_of(query));
    return std::move(got.addresses);
  }
  resolved_name name(const socket_address& of, const reverse_options& options) override {
    return ask_back(of, options);
  }
};

}  // namespace

const std::error_category& getaddrinfo_category() noexcept {
  static const getaddrinfo_errors category;
  return category;
}

std::shared_ptr<name_source> system_names() {
  static const auto names = std::make_shared<system_name_source>();
  return names;
}

std::vector<socket_address> resolver::resolve(std::string_view host, std::string_view service,
                                              const resolve_options& options) {
  name_query query{std::string(host), std::string(service), options};
  // The system would look up what comes before it.
  if (query.host.find('\0') != std::string::npos || query.service.find('\0') != std::string::npos)
    fail(EAI_NONAME, 0, text_of(query));
  answer numeric = ask(query, AI_NUMERICHOST | AI_NUMERICSERV);
  if (numeric.code == 0) return std::move(numeric.addresses);
  return threads_.call([names = names_, query = std::move(query)] { return names->addresses(query); });
}

resolved_name resolver::reverse(const socket_address& of, const reverse_options& options) {
  if (options.host == name_form::number && options.service == name_form::number) return ask_back(of, options);
  return threads_.call([names = names_, of, options] { return names->name(of, options); });
}

std::vector<socket_address> resolve(std::string_view host, std::string_view service, const resolve_options& options) {
  return resolver(thread_pool::of(hub::current())).resolve(host, service, options);
}

resolved_name reverse_resolve(const socket_address& of, const reverse_options& options) {
  return resolver(thread_pool::of(hub::current())).reverse(of, options);
}

}  // namespace grove
