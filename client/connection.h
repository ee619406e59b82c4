// SPDX-License-Identifier: Apache-2.0
#pragma once

// One TCP connection to a server, as proto/grove/v1/wire.proto specifies it.
//
// - Many calls are under way at once. A call's id is its place in a table plus one; the place is free again when the
//   server has answered, which it does for a call that was given up as well.
// - The server announces how many calls may be unfinished; those beyond wait here.
// - Writes are batched: all that is queued while a write is under way, or within one pass of the loop, goes out in
//   one.
// - When the connection is lost every call of it ends as UNAVAILABLE: with outcome `not_executed` when its frame was
//   never given to the operating system, else `unknown`.

#include <array>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_buffer.h"
#include "base/clock.h"
#include "base/status.h"
#include "client/address.h"
#include "client/dialer.h"
#include "client/io_types.h"
#include "client/outgoing_call.h"
#include "proto/wire/envelope.h"

namespace grove {

struct connection_options {
  /// From the first resolve to the server's Welcome.
  std::chrono::milliseconds connect_timeout{3'000};
  /// After so long without success an attempt to connect to one address is joined by one to the next.
  std::chrono::milliseconds attempt_delay{250};
  /// What resolves names; empty: the system.
  look_up_function look_up;
  /// After so long without a byte from the server it is asked whether it is there,
  std::chrono::milliseconds ping_after{10'000};
  /// and after so long without an answer the connection counts as lost.
  std::chrono::milliseconds ping_timeout{5'000};
  /// What is sent as Hello.client.
  std::string client_name = "grove-client";
};

/// What a server said at hello.
struct server_info {
  std::uint32_t worker = 0;           ///< Who serves this connection,
  std::uint32_t workers = 1;          ///< of how many.
  std::vector<std::uint32_t> owners;  ///< The worker of each partition; empty when the server does not say.
  std::uint32_t frame_bytes_max = 1U << 20U;
  std::uint32_t nesting_max = 32;
  std::uint32_t key_bytes_max = 256;
  std::uint32_t unfinished_calls_max = 256;
  std::chrono::microseconds call_time_max{0};  ///< 0: the server does not say.
  std::string server;                          ///< Its name and version.
};

/// Made by std::make_shared: what is under way keeps it alive.
/// Affinity: the thread that runs the io_context, everywhere.
class connection : public std::enable_shared_from_this<connection> {
 public:
  using tcp_socket = client_io::tcp_socket;
  using steady_timer = client_io::steady_timer;

  /// Who opened the connection and is told of its life. Each is called from the loop, never from within a call of its
  /// own to the connection.
  class listener {
   public:
    /// The server's Welcome is here; calls can be started.
    virtual void on_ready(connection& from) = 0;
    /// The server goes away: no new calls here. Those under way are still answered.
    virtual void on_drain(connection& from) = 0;
    /// The end. Comes once, before the calls that were under way end.
    virtual void on_closed(connection& from, const status& why) = 0;

   protected:
    ~listener() = default;
  };

  connection(asio::io_context& io, const clock& time, std::shared_ptr<dialer> ways, connection_options options,
             listener& who);
  ~connection();

  /// Connects and says hello; `wanted_worker` as in the protocol.
  void open(const server_address& address, std::optional<std::uint32_t> wanted_worker);

  /// Whether calls can be started.
  [[nodiscard]] bool ready() const noexcept { return state_ == state::ready; }
  [[nodiscard]] bool closed() const noexcept { return state_ == state::closed; }
  /// The server refused the hello or ended the connection with a Refusal.
  [[nodiscard]] bool refused() const noexcept { return refused_; }
  [[nodiscard]] const server_info& info() const noexcept { return info_; }
  [[nodiscard]] const server_address& address() const noexcept { return address_; }
  [[nodiscard]] std::optional<std::uint32_t> wanted_worker() const noexcept { return wanted_worker_; }
  /// No call is without its answer.
  [[nodiscard]] bool idle() const noexcept { return in_flight() == 0 && waiting_.empty(); }
  /// Since when it has been ready.
  [[nodiscard]] steady_time ready_since() const noexcept { return ready_since_; }

  /// Sends the call, or keeps it until the server's limit lets it. Only when `ready`. A call that asks for more than the
  /// server takes, in bytes or in time, ends at once.
  void start(outgoing_call& call);

  /// Ends the caller's interest: `on_end` will not be called. A call that was sent is cancelled at the server. Returns
  /// whether it may have been executed.
  outcome withdraw(outgoing_call& call);

  /// Takes back the calls that wait for the server's limit.
  [[nodiscard]] call_list& waiting() noexcept { return waiting_; }

  /// Ends the connection now. The calls end with `why`; the listener is not told.
  void close(const status& why);

  /// Ends the connection when no call is under way. The listener is not told.
  void close_when_idle();

 private:
  enum class state : std::uint8_t { connecting, greeting, ready, draining, closed };
  struct slot {
    outgoing_call* call = nullptr;  ///< Null: free, or given up and not yet answered.
    bool used = false;
  };

  [[nodiscard]] std::size_t in_flight() const noexcept { return slots_.size() - free_slots_.size(); }
  void connected(client_io::tcp_socket&& socket);
  void read();
  void on_read(const asio::error_code& error, std::size_t bytes);
  /// False: the connection has ended.
  [[nodiscard]] bool take_frames();
  [[nodiscard]] bool take(std::string_view envelope);
  [[nodiscard]] bool take_welcome(std::string_view envelope);
  [[nodiscard]] bool take_response(const wire::response_view& response);
  [[nodiscard]] bool take_item(const wire::item_view& item);
  [[nodiscard]] slot* slot_of(std::uint64_t id) noexcept;
  [[nodiscard]] bool broken(std::string_view what);
  /// What is left of the call's time, at least 1 us; 0: it has no deadline.
  [[nodiscard]] std::chrono::microseconds time_left(const outgoing_call& call) const;
  [[nodiscard]] wire::request_view request_of(const outgoing_call& call, std::uint64_t id) const;
  /// Ends a call that the server would not take, and says so.
  [[nodiscard]] bool refuses(outgoing_call& call, const wire::request_view& request);
  void send_request(outgoing_call& call);
  void send_waiting();
  void flush_soon();
  void flush();
  void arm_timer(time_span after);
  void on_timer();
  void fail(const status& why);
  void end_calls(const status& why);

  asio::io_context& io_;
  const clock& time_;
  connection_options options_;
  listener* listener_;
  std::shared_ptr<dialer> ways_;
  std::shared_ptr<dialer::attempt> dialing_;  ///< Until there is a socket.
  client_io::tcp_socket socket_;
  dialer::endpoint peer_;
  steady_timer timer_;
  state state_ = state::connecting;
  server_address address_;
  std::optional<std::uint32_t> wanted_worker_;
  server_info info_;

  byte_buffer in_;
  std::array<byte_buffer, 2> out_;  ///< One is filled while the other is written.
  unsigned filling_ = 0;
  std::uint64_t queued_bytes_ = 0;  ///< Of requests, ever put into `out_`,
  std::uint64_t handed_bytes_ = 0;  ///< and of them given to the operating system, or about to be.
  bool writing_ = false;
  bool flush_posted_ = false;
  bool close_when_idle_ = false;
  bool refused_ = false;

  std::vector<slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  call_list waiting_;

  steady_time ready_since_{};
  wire::envelope_view envelope_;
  steady_time last_heard_{};
  bool pinged_ = false;
};

}  // namespace grove
