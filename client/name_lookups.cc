// SPDX-License-Identifier: Apache-2.0
#include "client/name_lookups.h"

#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <asio/ip/tcp.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "base/fd.h"
#include "client/io_types.h"

namespace grove {
namespace {

/// What the thread of a lookup and the loop share; whoever is left last ends it.
struct answer_box {
  unique_fd done;  ///< Readable when there is an answer.
  std::mutex mutex;
  found_addresses answer;

  void give(found_addresses found) {
    {
      const std::lock_guard lock{mutex};
      answer = std::move(found);
    }
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(done.get(), &one, sizeof one);
  }
  [[nodiscard]] found_addresses take() {
    const std::lock_guard lock{mutex};
    return std::move(answer);
  }
};

/// Signals belong to the program's own threads, and a new thread has its maker's mask.
class all_signals_blocked {
 public:
  all_signals_blocked() {
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, &before_);
  }
  ~all_signals_blocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  all_signals_blocked(const all_signals_blocked&) = delete;
  all_signals_blocked& operator=(const all_signals_blocked&) = delete;

 private:
  sigset_t before_{};
};

void answer_on_a_thread(std::shared_ptr<const look_up_function> look_up, std::shared_ptr<answer_box> box,
                        std::string host) {
  const all_signals_blocked meanwhile;
  std::thread{[look_up = std::move(look_up), box = std::move(box), host = std::move(host)] {
    found_addresses found;
    try {
      found = (*look_up)(host);
    } catch (const std::exception& thrown) {
      found.error = std::string{"looking it up failed: "} + thrown.what();
    } catch (...) {
      found.error = "looking it up failed by something that is no std::exception";
    }
    box->give(std::move(found));
  }}.detach();
}

}  // namespace

found_addresses system_look_up(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int code = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (code == EAI_SYSTEM) return {{}, std::system_category().message(errno)};
  if (code != 0) return {{}, ::gai_strerror(code)};
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned{list, &::freeaddrinfo};
  found_addresses found;
  for (const addrinfo* at = list; at != nullptr; at = at->ai_next) {
    asio::ip::tcp::endpoint endpoint;
    if (at->ai_addrlen > endpoint.capacity()) continue;
    std::memcpy(endpoint.data(), at->ai_addr, at->ai_addrlen);
    endpoint.resize(at->ai_addrlen);
    found.addresses.push_back(endpoint.address());
  }
  if (found.addresses.empty()) found.error = "the name has no address";
  return found;
}

struct name_lookups::lookup {
  lookup(asio::io_context& io, int fd) : done{io.get_executor(), fd} {}

  asio::posix::basic_stream_descriptor<client_io::executor> done;
  std::shared_ptr<answer_box> box;
  std::map<std::uint64_t, waiter> waiting;
};

name_lookups::name_lookups(asio::io_context& io, look_up_function look_up)
    : io_{io}, look_up_{std::make_shared<const look_up_function>(std::move(look_up))} {}

name_lookups::~name_lookups() = default;

std::uint64_t name_lookups::look_up(const std::string& host, waiter then) {
  const std::uint64_t ticket = ++last_ticket_;
  if (const auto found = under_way_.find(host); found != under_way_.end()) {
    found->second->waiting.emplace(ticket, std::move(then));
    return ticket;
  }
  auto box = std::make_shared<answer_box>();
  box->done.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  // The loop's own, so that either of the two may go first.
  unique_fd ours{box->done ? ::fcntl(box->done.get(), F_DUPFD_CLOEXEC, 0) : -1};
  if (!ours) throw std::system_error{errno, std::generic_category(), "a descriptor for the lookup of " + host};
  auto made = std::make_unique<lookup>(io_, ours.release());
  made->box = box;
  made->waiting.emplace(ticket, std::move(then));
  made->done.async_wait(asio::posix::descriptor_base::wait_read,
                        [this, host, held = std::weak_ptr{alive_}](const asio::error_code& error) {
                          // What is complete is told even when this has gone meanwhile.
                          if (!error && !held.expired()) answered(host);
                        });
  under_way_.emplace(host, std::move(made));
  try {
    answer_on_a_thread(look_up_, box, host);
  } catch (const std::system_error& failure) {
    box->give({{}, std::string{"no thread to look it up: "} + failure.code().message()});
  }
  return ticket;
}

void name_lookups::cancel(std::uint64_t ticket) {
  // The lookup itself goes on, for who asks next.
  for (const auto& [host, each] : under_way_)
    each->waiting.erase(ticket);
}

void name_lookups::answered(const std::string& host) {
  const auto found = under_way_.find(host);
  if (found == under_way_.end()) return;
  const std::unique_ptr<lookup> ended = std::move(found->second);
  under_way_.erase(found);
  const found_addresses answer = ended->box->take();
  for (const auto& [ticket, then] : ended->waiting)
    then(answer);
}

}  // namespace grove
