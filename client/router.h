// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which connection a call goes out on.
//
// - The first connection takes any worker; its Welcome brings the table that says which worker owns which partition.
//   Each further Welcome refreshes it.
// - A lane is the way to one worker: at most one connection, opened by the first call that wants it. Calls wait in
//   the lane while it is opened, so that calls of one sender to one actor stay in order.
// - When a lane cannot be opened its calls take any other connection (the workers pass them on), and the lane is tried
//   again after a pause that doubles and is jittered. A lane whose connection was taken by another worker than the one
//   that it wanted (which was down) is left after a while for a new one.
// - When nothing can be reached the calls that wait end as UNAVAILABLE, not executed, with a text of what was tried.

#include <asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "client/address.h"
#include "client/connection.h"
#include "client/outgoing_call.h"

namespace grove {

struct router_options {
  /// Tried in this order until one answers; alternatives of one server, not parts of one.
  std::vector<server_address> servers{server_address{}};
  connection_options connection;
  std::chrono::milliseconds first_pause{50};
  std::chrono::milliseconds longest_pause{2'000};
  /// A connection that lived less than this counts as a failed attempt.
  std::chrono::milliseconds settled_after{1'000};
};

/// Affinity: the thread that runs the io_context, everywhere.
class router final : private connection::listener {
 public:
  router(asio::io_context& io, const clock& time, random_source& random, router_options options);
  ~router();
  router(const router&) = delete;
  router& operator=(const router&) = delete;

  /// Sends the call, now or when there is a connection. It may end before this returns.
  void submit(outgoing_call& call);

  /// Ends the caller's interest: `on_end` will not be called. Returns whether it may have been executed.
  outcome withdraw(outgoing_call& call);

  /// Calls back once, when a server has welcomed us or none could be reached.
  void when_reached(std::function<void(const status&)> then);

  /// What the last Welcome said; nothing before the first.
  [[nodiscard]] const std::optional<server_info>& info() const noexcept { return info_; }

  /// Ends all connections and every call; nothing can be submitted afterwards.
  void close();

 private:
  struct lane;

  void on_ready(connection& from) override;
  void on_drain(connection& from) override;
  void on_closed(connection& from, const status& why) override;

  [[nodiscard]] lane& lane_of(const outgoing_call& call);
  [[nodiscard]] std::shared_ptr<lane> lane_with(const connection& link) const noexcept;
  [[nodiscard]] connection* any_ready() noexcept;
  void open(lane& way);
  void attempt(lane& way);
  void pause(const std::shared_ptr<lane>& way);
  void leave(lane& way);
  void leave_later(const std::shared_ptr<lane>& way);
  void resubmit(call_list& calls);
  void give_up(lane& way, const status& why);
  void reached(const status& what);
  void learn(const server_info& info);
  [[nodiscard]] status nothing_reached(const status& last) const;

  asio::io_context& io_;
  const clock& time_;
  random_source& random_;
  router_options options_;
  std::shared_ptr<dialer> ways_;
  std::size_t server_ = 0;         ///< The one that answered last, or is tried.
  std::size_t servers_tried_ = 0;  ///< In this round.
  // Shared so that what their timers call can tell whether they, and with them the router, are still there.
  std::shared_ptr<lane> first_;  ///< To any worker, until there is a table.
  std::vector<std::shared_ptr<lane>> lanes_;
  std::vector<std::shared_ptr<connection>> leaving_;  ///< Draining, or replaced.
  std::optional<server_info> info_;
  std::vector<std::function<void(const status&)>> waiting_to_reach_;
  bool closed_ = false;
};

}  // namespace grove
