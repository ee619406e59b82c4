// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>
#include <system_error>

#include "base/byte_buffer.h"
#include "base/status.h"
#include "worker/actor/reply.h"
#include "worker/gate/byte_stream.h"
#include "worker/gate/call_table.h"
#include "worker/gate/gate.h"
#include "worker/hub/timer.h"

namespace grove {

class protocol;
class protocol_factory;

/// Whether it was accepted here, or comes from another worker, which had accepted it.
enum class connection_origin : std::uint8_t { accepted, passed };

/// One client's connection: its bytes in both directions, how many of them may wait, and for how long. What they mean is
/// its protocol's business. It is driven by the completion of its reads and writes and never waits itself.
///
/// - What is answered while a read is being handled leaves with one write, at the end of it.
/// - It stops reading while it has too many unfinished calls or too much to send.
/// - While a call of it waits for space on its way to another worker it takes no request, and reads only what a cancel or a
///   ping needs: more of a client's bytes than that one call and one read are never here.
///
/// Affinity: the worker's hub thread. Lifetime: kept alive by its gate until it ends, and by its operations under way.
class gate_connection final : public std::enable_shared_from_this<gate_connection>,
                              public byte_stream_user,
                              private hub_timer {
 public:
  /// Lifetime: `owner` and `speaks` are borrowed.
  gate_connection(gate& owner, std::uint64_t number, std::unique_ptr<byte_stream> stream, protocol_factory& speaks,
                  connection_origin origin);
  ~gate_connection() override;

  /// Begins to read, after handling what was read before it came here.
  void start(std::string_view already_read);

  /// Sends only a refusal, and ends.
  void start_refused(status_code code, std::string_view text);

  // For its gate.

  /// No other connection of the gate ever has it.
  [[nodiscard]] std::uint64_t number() const noexcept { return number_; }
  /// Writes what there is, and goes on with what had to wait for it.
  void flush();
  /// Begins to read, unless it reads already or must not.
  void read();
  void announce_drain(std::chrono::milliseconds grace);
  /// Ends it: its calls are cancelled and their answers dropped.
  void close();
  [[nodiscard]] std::size_t backlog_bytes() const noexcept { return out_.size() + writing_.size(); }
  [[nodiscard]] bool dirty() const noexcept { return dirty_; }
  void set_dirty(bool value) noexcept { dirty_ = value; }
  [[nodiscard]] bool is_to_read() const noexcept { return is_to_read_; }
  void set_to_read(bool value) noexcept { is_to_read_ = value; }
  /// How many calls are in its table. See gate::check_invariants().
  [[nodiscard]] std::size_t check_invariants() const;

  // For its protocol.

  [[nodiscard]] gate& owner() const noexcept { return owner_; }
  [[nodiscard]] connection_origin origin() const noexcept { return origin_; }
  [[nodiscard]] call_table& calls() noexcept { return calls_; }

  /// The opening of the conversation is over: from now on its time-outs are those of later units, and who ends the input
  /// still gets what was asked for.
  void opened();

  /// Whether the protocol may take one more unit. Lets actors run first where that makes room for its call.
  [[nodiscard]] bool takes_another() {
    if (!takes_input() || backlog_bytes() > owner_.limits().output_buffer_bytes_max) return false;
    return calls_.size() < owner_.limits().unfinished_calls_max || takes_another_after_turns();
  }
  /// Whether the next unit may be a request. If not it stays where it is, and so does what follows it.
  [[nodiscard]] bool takes_request() noexcept {
    if (held_up_ == nullptr) [[likely]]
      return true;
    request_is_next_ = true;
    return false;
  }
  /// Whether input is still wanted. When it is not, what was there has been thrown away.
  [[nodiscard]] bool takes_input() const noexcept { return phase_ == phase::opening || phase_ == phase::open; }
  /// The protocol has taken one off the input. Lets actors run after each batch of them.
  void took_one() {
    if (++taken_ % units_per_run == 0) owner_.actors().run_ready();
  }

  /// Where the protocol appends what is to be sent. It leaves at the end of the read that is being handled, or at the next
  /// `flush`, for which `appended` sees to it that there is one.
  [[nodiscard]] byte_buffer& out() noexcept { return out_; }
  void appended() {
    if (!handling_) owner_.mark_dirty(*this);
  }

  /// A call of this connection waits for space on its way, and goes on.
  void held_up(const message& call);
  void goes_on(const message& call);

  /// Takes a call of this connection out of its table. Returns what the client is to be told of its end.
  /// Lifetime: what is returned borrows from `end`.
  [[nodiscard]] reply end_call(message& call, const reply& end);

  /// What was appended last was a refusal: it leaves, and the connection ends.
  void end_refused();

  /// Passes it to the worker of `slot`, with the input that is there, and ends it here.
  /// Errors: false if that worker cannot take it: it stays.
  [[nodiscard]] bool pass_to(std::uint32_t slot);

 private:
  enum class phase : std::uint8_t {
    opening,
    open,
    refused,  ///< The refusal is on its way; what still arrives is thrown away.
    closed,
  };
  /// What the timer is armed for: the one that is the most urgent.
  enum class time_out : std::uint8_t { none, opening, rest_of_unit, slow_reader, lingering };

  // How many units are handled before the turns that they ask for are run: well below what a mailbox takes, so that a
  // client that has many calls to one actor in one read is not told that the mailbox is full.
  static constexpr std::uint32_t units_per_run = 64;

  [[nodiscard]] bool takes_another_after_turns();
  void on_read(std::error_code error, std::size_t bytes) override;
  void on_written(std::error_code error, std::size_t bytes) override;
  void on_hang_up() override { close(); }
  void expired() override;

  void handle_input();
  void take_units();
  void after_write();
  /// The client sends nothing any more; it may still read.
  void input_ended();
  void await_hang_up();
  [[nodiscard]] bool has_room() const noexcept;
  [[nodiscard]] bool may_read() const noexcept { return !input_over_ && takes_more(); }
  [[nodiscard]] bool takes_more() const noexcept;
  /// Whether all is said that a client whose input is over can still be told.
  [[nodiscard]] bool all_said() const noexcept;
  void choose_time_out();
  void set_time_out(time_out what);

  gate& owner_;
  std::uint64_t number_;
  std::unique_ptr<byte_stream> stream_;
  std::unique_ptr<protocol> protocol_;
  byte_buffer in_;
  byte_buffer out_;
  byte_buffer writing_;
  call_table calls_;
  const message* held_up_ = nullptr;  ///< Of the calls; there is at most one.
  std::uint32_t taken_ = 0;           ///< Units, of the input that is being handled.
  phase phase_ = phase::opening;
  time_out time_out_ = time_out::none;
  connection_origin origin_;
  bool reading_ = false;
  bool input_over_ = false;
  bool request_is_next_ = false;  ///< While a call is held up: a request is at the front of the input.
  bool hang_up_awaited_ = false;
  bool write_under_way_ = false;
  bool handling_ = false;
  bool dirty_ = false;
  bool is_to_read_ = false;
};

}  // namespace grove
