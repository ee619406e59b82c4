// SPDX-License-Identifier: Apache-2.0
#include "client/internal/client_core.h"

#include <algorithm>
#include <asio/post.hpp>
#include <random>
#include <utility>

#include "base/check.h"
#include "base/fatal.h"

namespace grove::detail {
namespace {

/// The server ends a call at its deadline and knows whether it had run; its answer is waited for a little longer.
constexpr std::chrono::milliseconds answer_grace{20};

[[nodiscard]] std::uint64_t seed_of(const client_options& options) {
  if (options.seed != 0) return options.seed;
  std::random_device device;
  return std::uint64_t{device()} << 32U | device();
}

[[nodiscard]] router_options routes_of(const client_options& options) {
  router_options routes;
  if (!options.servers.empty()) routes.servers = options.servers;
  routes.connection = options.connection;
  return routes;
}

[[nodiscard]] std::string readable(std::chrono::microseconds time) {
  if (time.count() % 1'000 != 0) return std::to_string(time.count()) + " us";
  if (time.count() % 1'000'000 != 0) return std::to_string(time.count() / 1'000) + " ms";
  return std::to_string(time.count() / 1'000'000) + " s";
}

}  // namespace

std::string text_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& thrown) {
    return thrown.what();
  } catch (...) {
    return "something that is no std::exception";
  }
}

void operation::on_item(std::string_view bytes) {
  core_->take_item(*this, bytes);
}

void operation::on_end(const call_end& end) {
  core_->ended(*this, end);
}

client_core::client_core(asio::io_context& io, client_options options)
    : io_{io},
      options_{std::move(options)},
      random_{seed_of(options_)},
      retry_{options_.retry},
      router_{io, time_, random_, routes_of(options_)},
      timer_{io.get_executor()} {}

void client_core::submit(operation& op) {
  op.core_ = this;
  ++unfinished_;
  if (closed_) {
    finish(op, {{status_code::cancelled, "the client is closed"}, outcome::not_executed, {}});
    return;
  }
  if (unfinished_ > options_.unfinished_calls_max) {
    finish(op, {{status_code::resource_exhausted, "the client has " + std::to_string(options_.unfinished_calls_max) +
                                                      " calls under way, its limit unfinished_calls_max"},
                outcome::not_executed,
                {}});
    return;
  }
  op.attempts_ = 1;
  if (op.timeout != unlimited) {
    if (op.timeout.count() <= 0) {
      op.timeout = std::chrono::floor<std::chrono::microseconds>(time_span{options_.call_timeout}.length());
      op.time_is_asked_for = false;
    }
    // Short of the greatest time point, which stands for a call without a limit.
    op.deadline = std::min(time_after(time_.now(), op.timeout), steady_time::max() - std::chrono::microseconds{1});
    op.wake_at_ = time_after(op.deadline, answer_grace);
    deadlines_.insert(op);
    arm();
  }
  router_.submit(op);
}

void client_core::ended(operation& op, const call_end& end) {
  if (end.result == outcome::executed) {
    retry_.succeeded();
  } else if (end.code != status_code::ok && op.retry && !op.had_items_ && !closed_) {
    const steady_time now = time_.now();
    const auto pause = retry_.failed(end.code, end.result, op.attempts_, now, op.deadline, random_);
    if (pause) {
      op.pausing_ = true;
      deadlines_.remove(op);
      op.wake_at_ = time_after(now, *pause);
      deadlines_.insert(op);
      arm();
      return;
    }
  }
  call_result result;
  if (end.code != status_code::ok) result.status = {end.code, std::string{end.message}};
  result.outcome = end.result;
  result.payload = end.payload;
  finish(op, std::move(result));
}

/// What a caller's function throws must not leave through the connection that calls it, whose other calls wait.
void client_core::take_item(operation& op, std::string_view bytes) {
  bool over = false;
  op.had_items_ = true;
  op.over_in_item_ = &over;
  try {
    op.item(bytes);
    if (!over) op.over_in_item_ = nullptr;
  } catch (...) {
    const std::exception_ptr error = caught_error();
    if (over) {
      // Its caller has the end already: this leaves the loop as what a handler throws does.
      asio::post(io_, [error] { std::rethrow_exception(error); });
      return;
    }
    op.over_in_item_ = nullptr;
    op.item_threw(error);
    const outcome known = router_.withdraw(op);
    finish(op, {{status_code::cancelled, "on_item threw: " + text_of(error)}, known, {}});
  }
}

void client_core::finish(operation& op, call_result&& result, bool cancelled) {
  if (op.over_in_item_ != nullptr) *op.over_in_item_ = true;
  GROVE_CHECK(unfinished_ > 0, "more operations of a client end than began");
  --unfinished_;
  deadlines_.remove(op);
  op.finish(std::move(result), cancelled);
}

void client_core::cancel(operation& op) {
  const outcome known = op.pausing_ ? outcome::not_executed : router_.withdraw(op);
  finish(op, {{status_code::cancelled, "the caller cancelled the call"}, known, {}}, true);
}

void client_core::arm() {
  if (deadlines_.empty() || deadlines_.first().wake_at_ >= armed_for_) return;
  armed_for_ = deadlines_.first().wake_at_;
  timer_.expires_at(armed_for_);
  timer_.async_wait([held = weak_from_this()](const asio::error_code& error) {
    const auto self = held.lock();
    if (!error && self) self->wake();
  });
}

void client_core::wake() {
  armed_for_ = steady_time::max();
  const steady_time now = time_.now();
  while (!closed_ && !deadlines_.empty() && deadlines_.first().wake_at_ <= now) {
    operation& op = deadlines_.first();
    deadlines_.remove(op);
    if (!op.pausing_) {
      expire(op);
      continue;
    }
    op.pausing_ = false;
    ++op.attempts_;
    if (op.timeout != unlimited) {
      op.wake_at_ = time_after(op.deadline, answer_grace);
      deadlines_.insert(op);
    }
    router_.submit(op);
  }
  arm();
}

void client_core::expire(operation& op) {
  const outcome known = router_.withdraw(op);
  const char* what = known == outcome::not_executed ? "the call could not be sent within " : "no answer within ";
  finish(op, {{status_code::deadline_exceeded, what + readable(op.timeout)}, known, {}});
}

void client_core::close() {
  if (std::exchange(closed_, true)) return;
  timer_.cancel();
  router_.close();
  // What is left waits between two attempts.
  while (!deadlines_.empty()) {
    finish(deadlines_.first(), {{status_code::cancelled, "the client is closed"}, outcome::not_executed, {}});
  }
}

}  // namespace grove::detail
