// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <asio/basic_stream_socket.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/byte_buffer.h"
#include "base/fd.h"
#include "base/status.h"
#include "proto/wire/envelope.h"
#include "worker/actor/reply.h"
#include "worker/hub/timer.h"

namespace grove {

class gate;

/// A client's socket, with the executor that it has in any case: one that is erased would cost at each operation.
using gate_socket = asio::basic_stream_socket<asio::ip::tcp, asio::io_context::executor_type>;

/// One client's connection. It is driven by the completion of its reads and writes and never waits itself.
/// Affinity: the worker's hub thread. Lifetime: kept alive by its gate until it ends, and by its operations under way.
class session final : public std::enable_shared_from_this<session>, private hub_timer {
 public:
  session(gate& owner, gate_socket socket, bool handed_over);
  ~session() override;

  /// Begins to read, after handling what was read before it came here.
  void start(std::string_view already_read);

  /// Sends only a refusal, RESOURCE_EXHAUSTED with `text`, and ends.
  void start_refused(std::string_view text);

  /// A call of this session's has ended, or has an element to send. The bytes leave at the next `flush`. What does not
  /// fit into a frame ends the call: RESOURCE_EXHAUSTED, and of an element the session lets go of `call`.
  void finish(message& call, const reply& end);
  void item(message& call, const payload_source& payload);

  /// Writes what there is, and goes on with what had to wait for it.
  void flush();

  /// Begins to read, unless it reads already or must not.
  void read();

  void tell_drain(std::chrono::milliseconds grace);

  /// Ends it: its calls are cancelled and their answers dropped.
  void close();

  [[nodiscard]] std::size_t backlog_bytes() const noexcept { return out_.size() + writing_.size(); }
  [[nodiscard]] bool dirty() const noexcept { return dirty_; }
  void set_dirty(bool value) noexcept { dirty_ = value; }
  [[nodiscard]] bool is_to_read() const noexcept { return is_to_read_; }
  void set_to_read(bool value) noexcept { is_to_read_ = value; }

 private:
  friend class request_intake;
  enum class phase : std::uint8_t {
    awaiting_hello,
    open,
    refused,  ///< The refusal is on its way; what still arrives is thrown away.
    closed,
  };
  /// What the timer is armed for: the one that is the most urgent.
  enum class watch : std::uint8_t { nothing, first_frame, whole_frame, slow_reader, lingering };

  void on_read(std::error_code error, std::size_t bytes);
  void on_written(std::error_code error, std::size_t bytes);
  void handle_frames();
  void take_frames();
  [[nodiscard]] bool takes_frames() const noexcept { return phase_ == phase::awaiting_hello || phase_ == phase::open; }
  void handle(std::string_view envelope);
  void hello(const wire::hello_view& hello);
  [[nodiscard]] bool hand_over(std::uint32_t slot);
  void refuse(status_code code, std::string_view text);
  void after_write();
  /// The client sends nothing any more; it may still read.
  void input_ended();
  /// Notices that nobody reads any more, where nothing is read that would tell.
  void await_hang_up();
  [[nodiscard]] bool takes_more() const noexcept;
  [[nodiscard]] bool may_read() const noexcept { return !input_over_ && takes_more(); }
  /// Whether all is said that a client whose input is over can still be told.
  [[nodiscard]] bool all_said() const noexcept;
  void keep_watch();
  void watch_for(watch what);
  void expired() override;

  void begin_call(message& call);
  void forget_call(message& call);
  void respond(std::uint64_t id, const reply& end);
  [[gnu::noinline]] void respond_too_large(std::uint64_t id, outcome result, std::size_t bytes);
  void count(status_code code, outcome result);
  /// Of the frame that was appended to `out_` when it had `start` bytes.
  [[nodiscard]] std::size_t envelope_bytes_since(std::size_t start) const noexcept;

  gate& owner_;
  gate_socket socket_;
  byte_buffer in_;
  byte_buffer out_;
  byte_buffer writing_;
  message* calls_ = nullptr;  // The unfinished ones.
  std::uint32_t unfinished_ = 0;
  phase phase_ = phase::awaiting_hello;
  watch watch_ = watch::nothing;
  bool handed_over_;
  bool reading_ = false;
  bool input_over_ = false;
  bool write_under_way_ = false;
  bool handling_ = false;
  bool dirty_ = false;
  bool is_to_read_ = false;
};

}  // namespace grove
