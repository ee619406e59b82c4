// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <asio/io_context.hpp>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "client/client.h"
#include "client/deadline_heap.h"
#include "client/operation.h"
#include "client/retry.h"
#include "client/router.h"

namespace grove::detail {

/// What is thrown, as text.
[[nodiscard]] std::string text_of(const std::exception_ptr& error);

/// What a client is in its loop: operations under deadlines, tried again as the policy says.
class client_core : public std::enable_shared_from_this<client_core> {
 public:
  client_core(asio::io_context& io, client_options options);

  void submit(operation& op);
  void cancel(operation& op);
  /// Ends every operation.
  void close();

  [[nodiscard]] router& way() noexcept { return router_; }
  [[nodiscard]] asio::io_context& loop() noexcept { return io_; }
  [[nodiscard]] const client_options& options() const noexcept { return options_; }

 private:
  friend class operation;

  void ended(operation& op, const call_end& end);
  void take_item(operation& op, std::string_view bytes);
  void finish(operation& op, call_result&& result, bool cancelled = false);
  void arm();
  void wake();
  void expire(operation& op);

  asio::io_context& io_;
  client_options options_;
  system_clock time_;
  random_source random_;
  retry_policy retry_;
  router router_;
  deadline_heap deadlines_;
  connection::steady_timer timer_;
  steady_time armed_for_ = steady_time::max();
  std::size_t unfinished_ = 0;
  bool closed_ = false;
};

}  // namespace grove::detail
