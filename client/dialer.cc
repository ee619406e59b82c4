// SPDX-License-Identifier: Apache-2.0
#include "client/dialer.h"

#include <algorithm>
#include <asio/post.hpp>
#include <deque>
#include <system_error>
#include <utility>

namespace grove {
namespace {

using endpoint = dialer::endpoint;

[[nodiscard]] std::string text_of(const endpoint& where) {
  return server_address{where.address().to_string(), where.port()}.to_string();
}

}  // namespace

class dialer::attempt : public std::enable_shared_from_this<dialer::attempt> {
 public:
  attempt(std::shared_ptr<dialer> owner, server_address to, handler then)
      : owner_{std::move(owner)}, to_{std::move(to)}, then_{std::move(then)}, delay_{owner_->io_.get_executor()} {}

  void start() {
    asio::error_code error;
    const auto number = asio::ip::make_address(to_.host, error);
    if (!error) {
      // From the loop, as everything else.
      asio::post(owner_->io_, [self = shared_from_this(), number] { self->found({{number}, {}}); });
      return;
    }
    try {
      ticket_ = owner_->names_.look_up(to_.host, [self = weak_from_this()](const found_addresses& found) {
        if (const auto still = self.lock()) still->found(found);
      });
    } catch (const std::system_error& failure) {
      asio::post(owner_->io_, [self = shared_from_this(), why = std::string{failure.what()}] {
        self->found({{}, why});
      });
    }
  }

  std::string give_up() {
    std::string doing = resolved_ ? "cannot connect to " + to_.to_string() : "cannot resolve " + to_.host;
    if (resolved_ && tries_.size() > 1) {
      doing += " (tried";
      for (const auto& each : tries_)
        doing.append(" ").append(text_of(each->where));
      doing += ")";
    }
    close();
    return doing;
  }

 private:
  struct try_of {
    try_of(asio::io_context& io, const endpoint& to) : where{to}, socket{io.get_executor()} {}
    endpoint where;
    client_io::tcp_socket socket;
    std::string failure;  ///< Empty while it is under way.
  };

  void found(const found_addresses& answer) {
    if (over_) return;
    if (answer.addresses.empty()) {
      end({status_code::unavailable, "cannot resolve " + to_.host + ": " + answer.error}, nullptr);
      return;
    }
    resolved_ = true;
    const auto ordered = owner_->order(to_, answer);
    left_.assign(ordered.begin(), ordered.end());
    next();
  }

  /// Tries the next address beside those that are tried already.
  void next() {
    if (left_.empty()) return;
    tries_.push_back(std::make_unique<try_of>(owner_->io_, left_.front()));
    left_.pop_front();
    try_of& made = *tries_.back();
    ++under_way_;
    made.socket.async_connect(made.where, [self = shared_from_this(), &made](const asio::error_code& error) {
      if (!self->over_) self->connected(made, error);
    });
    if (left_.empty()) return;
    delay_.expires_after(owner_->attempt_delay_);
    delay_.async_wait([self = shared_from_this()](const asio::error_code& error) {
      if (!error && !self->over_) self->next();
    });
  }

  void connected(try_of& which, const asio::error_code& error) {
    --under_way_;
    if (!error) {
      client_io::tcp_socket socket = std::move(which.socket);
      end({}, &socket);
      return;
    }
    which.failure = error.message();
    if (!left_.empty()) {
      delay_.cancel();
      next();
    } else if (under_way_ == 0) {
      end({status_code::unavailable, all_failed()}, nullptr);
    }
  }

  [[nodiscard]] std::string all_failed() const {
    std::string text = "cannot connect to " + to_.to_string() + ": ";
    if (tries_.size() == 1) return text + tries_.front()->failure;
    for (const auto& each : tries_) {
      text.append(each == tries_.front() ? "" : "; ").append(text_of(each->where)).append(": ").append(each->failure);
    }
    return text;
  }

  void end(const status& what, client_io::tcp_socket* socket) {
    const handler then = std::move(then_);
    close();
    then(what, socket);
  }

  void close() {
    if (std::exchange(over_, true)) return;
    owner_->names_.cancel(ticket_);
    delay_.cancel();
    for (const auto& each : tries_) {
      asio::error_code ignored;
      // A socket that was moved away is the one that won.
      if (each->socket.is_open() || !each->failure.empty()) owner_->failed(to_, each->where);
      each->socket.close(ignored);
    }
    then_ = nullptr;
  }

  std::shared_ptr<dialer> owner_;
  server_address to_;
  handler then_;
  client_io::steady_timer delay_;
  std::uint64_t ticket_ = 0;
  std::deque<endpoint> left_;
  std::vector<std::unique_ptr<try_of>> tries_;
  std::size_t under_way_ = 0;
  bool resolved_ = false;
  bool over_ = false;
};

dialer::dialer(asio::io_context& io, look_up_function look_up, std::chrono::milliseconds attempt_delay)
    : io_{io}, names_{io, look_up ? std::move(look_up) : system_look_up}, attempt_delay_{attempt_delay} {}

dialer::~dialer() = default;

std::shared_ptr<dialer::attempt> dialer::dial(const server_address& to, handler then) {
  auto made = std::make_shared<attempt>(shared_from_this(), to, std::move(then));
  made->start();
  return made;
}

std::string dialer::give_up(attempt& what) {
  return what.give_up();
}

void dialer::failed(const server_address& of, const endpoint& where) {
  std::vector<endpoint>& all = failed_[of.to_string()];
  std::erase(all, where);
  all.push_back(where);
}

void dialer::worked(const server_address& of, const endpoint& where) {
  if (const auto found = failed_.find(of.to_string()); found != failed_.end()) std::erase(found->second, where);
}

std::vector<endpoint> dialer::order(const server_address& of, const found_addresses& found) {
  std::deque<endpoint> six;
  std::deque<endpoint> four;
  for (const auto& address : found.addresses) {
    auto& family = address.is_v6() ? six : four;
    const endpoint where{address, of.port};
    if (std::ranges::find(family, where) == family.end()) family.push_back(where);
  }
  std::vector<endpoint> ordered;
  bool takes_six = found.addresses.front().is_v6();
  while (!six.empty() || !four.empty()) {
    auto& family = takes_six ? (six.empty() ? four : six) : (four.empty() ? six : four);
    ordered.push_back(family.front());
    family.pop_front();
    takes_six = !takes_six;
  }
  if (const auto bad = failed_.find(of.to_string()); bad != failed_.end()) {
    std::erase_if(bad->second,
                  [&ordered](const endpoint& where) { return std::ranges::find(ordered, where) == ordered.end(); });
    // 0: it has not failed; else the later it did, the larger.
    const auto rank = [&bad](const endpoint& where) {
      const auto at = std::ranges::find(bad->second, where);
      return at == bad->second.end() ? 0 : at - bad->second.begin() + 1;
    };
    std::ranges::stable_sort(ordered, {}, rank);
  }
  return ordered;
}

}  // namespace grove
