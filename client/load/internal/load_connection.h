// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <asio/io_context.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_buffer.h"
#include "base/clock.h"
#include "base/random.h"
#include "client/connection.h"
#include "client/load/internal/load_plan.h"

namespace grove::load::detail {

/// What the connections of one thread count.
struct load_counts {
  histogram latency;
  std::uint64_t sent = 0;
  std::uint64_t answers = 0;
  std::uint64_t in_time = 0;  ///< OK, within the measured time.
  steady_time last_answer{};
  std::uint64_t acknowledged = 0;
  std::uint64_t value_sum = 0;
  std::uint64_t lost_connections = 0;
  std::uint64_t behind = 0;
  std::vector<bool> keys_used;                   ///< As in load_result.
  std::array<std::uint64_t, 17 * 4> failures{};  ///< By code and outcome.
  std::array<std::string, 17 * 4> examples;

  void failed(status_code code, outcome result, std::string_view message, std::uint64_t count = 1);
};

/// The times of a run, known when all connections are ready.
struct load_times {
  steady_time start;
  steady_time measure_from;
  steady_time stop;  ///< No request is sent from then on.
};

/// A connection that does nothing but send prepared requests and count answers: no table of calls, no callbacks, no
/// allocation; see client/connection.h for the real one.
class load_connection {
 public:
  load_connection(asio::io_context& io, const load_plan& plan, load_counts& counts, std::uint32_t worker,
                  std::uint64_t seed);

  /// Connects and says hello.
  void open();
  [[nodiscard]] bool ready() const noexcept { return ready_; }
  /// Why it could not connect; OK as long as that is not known.
  [[nodiscard]] const status& trouble() const noexcept { return trouble_; }

  /// Which requests are this connection's: when `bounded`, `quota` of them; with key_order::each_once those at
  /// `first`, `first + step`, ... of its worker's keys. `interval` and `offset` are of the open loop.
  struct share {
    bool bounded = false;
    std::uint64_t quota = 0;
    std::size_t first = 0;
    std::size_t step = 1;
    steady_duration interval{};
    steady_duration offset{};
  };
  void start(const share& mine, const load_times& times);

  /// Sends no more, and waits only a moment for the answers that are under way.
  void stop(steady_time now);

  /// Sends what is due; called now and then in the open loop, and to notice what takes too long.
  void tick(steady_time now);

  [[nodiscard]] bool done() const noexcept { return done_; }
  [[nodiscard]] std::uint32_t worker() const noexcept { return worker_; }

  /// Closes the socket.
  void close();

 private:
  void read();
  void on_read(const asio::error_code& error, std::size_t bytes);
  [[nodiscard]] bool take(std::string_view envelope, steady_time now);
  [[nodiscard]] bool take_welcome(std::string_view envelope, steady_time now);
  [[nodiscard]] bool take_response(const wire::response_view& response, steady_time now);
  [[nodiscard]] std::uint64_t left() const noexcept;
  void send_due(steady_time now);
  void send_batch(steady_time now);
  void send_scheduled(steady_time now);
  void write(std::string_view bytes);
  void write_rest();
  void lost(std::string_view why);
  /// The answers that are under way will not come; whether their requests have run is not known.
  void give_up_answers(status_code code, std::string_view why);
  void end_if_over(steady_time now);
  [[nodiscard]] std::uint32_t next_key();

  asio::io_context& io_;
  const load_plan& plan_;
  load_counts& counts_;
  std::uint32_t worker_;
  random_source random_;
  connection::tcp_socket socket_;
  connection::steady_timer timer_;
  const std::vector<std::uint32_t>* keys_ = nullptr;
  share mine_;
  load_times times_{};
  std::size_t next_in_order_ = 0;
  std::uint64_t begun_ = 0;
  steady_time next_due_{};
  steady_time last_heard_{};
  steady_time move_at_ = steady_time::max();
  steady_time give_up_at_ = steady_time::max();
  unsigned under_way_ = 0;
  std::vector<steady_time> began_;       ///< By id - 1; the epoch: free.
  std::vector<std::uint32_t> key_sent_;  ///< By id - 1.
  std::vector<std::uint32_t> free_ids_;  ///< Open loop.
  std::string frames_;                   ///< This connection's copy of the plan's, whose digits change.
  byte_buffer in_;
  byte_buffer out_;      ///< What the socket did not take at once,
  byte_buffer sending_;  ///< and of that, what it is being given.
  byte_buffer batch_;    ///< Open loop: what is due.
  wire::envelope_view envelope_;
  status trouble_;
  bool writing_ = false;
  bool ready_ = false;
  bool running_ = false;
  bool done_ = false;
  unsigned failures_ = 0;
  std::uint64_t life_ = 0;  ///< Counts sockets: what an earlier one completes is ignored.
};

}  // namespace grove::load::detail
