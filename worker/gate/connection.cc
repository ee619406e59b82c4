// SPDX-License-Identifier: Apache-2.0
#include "worker/gate/connection.h"

#include <utility>

#include "base/check.h"
#include "worker/actor/runtime.h"
#include "worker/gate/protocol.h"
#include "worker/gate/topology.h"

namespace grove {
namespace {

constexpr std::size_t read_bytes = 64 * 1024;

// A buffer that had to be larger for a unit is not kept; twice a read is what reads that end inside units need.
constexpr std::size_t read_bytes_kept = 2 * read_bytes;

// More than any unit has that is no request: a frame with a cancel or a ping takes 15 bytes at most.
constexpr std::size_t small_unit_bytes = 64;

// A buffer that had to be larger for a few answers is not kept.
constexpr std::size_t written_bytes_kept = 64 * 1024;

constexpr std::chrono::milliseconds linger_for{1000};

}  // namespace

gate_connection::gate_connection(gate& owner, std::uint64_t number, std::unique_ptr<byte_stream> stream,
                                 protocol_factory& speaks, connection_origin origin)
    : owner_{owner},
      number_{number},
      stream_{std::move(stream)},
      protocol_{speaks.make(*this)},
      calls_{owner.calls(), number},
      origin_{origin} {}

gate_connection::~gate_connection() = default;

void gate_connection::start_refused(status_code code, std::string_view text) {
  protocol_->refuse(code, text);
  flush();
}

void gate_connection::start(std::string_view already_read) {
  in_.append(already_read);
  set_time_out(time_out::opening);
  handle_input();
  flush();
}

// --- Reading ---

bool gate_connection::has_room() const noexcept {
  // What is in front is a request, or the beginning of one.
  if (held_up_ != nullptr && (request_is_next_ || in_.size() >= small_unit_bytes)) return false;
  return calls_.size() < owner_.limits().unfinished_calls_max &&
         backlog_bytes() <= owner_.limits().output_buffer_bytes_max;
}

bool gate_connection::takes_more() const noexcept {
  if (phase_ == phase::closed || reading_) return false;
  return phase_ == phase::refused || has_room();
}

void gate_connection::read() {
  if (!may_read()) return;
  reading_ = true;
  // The rest of an incomplete unit stays in front, mostly without a larger buffer.
  const std::size_t space = in_.size() <= read_bytes / 2 ? read_bytes - in_.size() : read_bytes;
  stream_->async_read_some(in_.prepare(space), space, shared_from_this());
}

void gate_connection::on_read(std::error_code error, std::size_t bytes) {
  GROVE_CHECK(reading_, "a read ends that was not begun");
  reading_ = false;
  if (phase_ == phase::closed) return;
  if (!error && bytes == 0 && phase_ == phase::open) {
    input_ended();
    return;
  }
  if (error || bytes == 0) {
    close();
    return;
  }
  owner_.metrics()[metric::bytes_in].add(bytes);
  if (phase_ == phase::refused) {
    read();
    return;
  }
  in_.commit(bytes);
  handle_input();
  flush();
}

void gate_connection::input_ended() {
  input_over_ = true;
  if (!all_said()) {
    // A client that has gone altogether looks the same, until something is sent: then its system hangs up, and its calls
    // are cancelled as they would have been. Nothing is read that would tell.
    protocol_->probe();
    await_hang_up();
  }
  flush();
}

void gate_connection::await_hang_up() {
  if (std::exchange(hang_up_awaited_, true)) return;
  stream_->async_wait_hang_up(shared_from_this());
}

bool gate_connection::all_said() const noexcept {
  return calls_.size() == 0 && out_.empty() && !write_under_way_;
}

void gate_connection::handle_input() {
  if (handling_) return;
  handling_ = true;
  try {
    take_units();
  } catch (...) {
    // Half of a read has been handled, and nobody can tell which half.
    close();
    throw;
  }
  handling_ = false;
}

void gate_connection::take_units() {
  taken_ = 0;
  if (protocol_->take(in_) == 0) return;
  in_.shrink(read_bytes_kept);
  // The time is each unit's own: the one that is not complete yet has all of it before it.
  if (time_out_ == time_out::rest_of_unit) set_time_out(time_out::none);
  if (phase_ != phase::closed) owner_.actors().run_ready();
}

bool gate_connection::takes_another_after_turns() {
  owner_.actors().run_ready();
  return calls_.size() < owner_.limits().unfinished_calls_max;
}

// --- What the protocol says ---

void gate_connection::opened() {
  GROVE_CHECK(phase_ == phase::opening, "a conversation opens twice, or after its end");
  phase_ = phase::open;
  set_time_out(time_out::none);
}

void gate_connection::end_refused() {
  owner_.metrics()[metric::refusals].add();
  phase_ = phase::refused;
  in_.clear();
  set_time_out(time_out::lingering);
}

bool gate_connection::pass_to(std::uint32_t slot) {
  if (!owner_.around().pass_connection(slot, *stream_, in_.view())) return false;
  owner_.metrics()[metric::handoffs_out].add();
  close();
  return true;
}

void gate_connection::held_up(const message& call) {
  GROVE_CHECK(held_up_ == nullptr, "a connection has taken a request while another one was held up");
  held_up_ = &call;
}

void gate_connection::goes_on(const message& call) {
  if (held_up_ != &call) return;
  held_up_ = nullptr;
  request_is_next_ = false;
  owner_.mark_dirty(*this);  // It takes and reads what it has kept waiting.
}

reply gate_connection::end_call(message& call, const reply& end) {
  goes_on(call);
  const bool ended_by_drain = owner_.draining() && end.code == status_code::cancelled && is_stream(call);
  calls_.end(call);
  if (!ended_by_drain) return end;
  return {.code = status_code::unavailable, .result = end.result, .text = "the server is draining", .payload = {}};
}

void gate_connection::announce_drain(std::chrono::milliseconds grace) {
  if (phase_ != phase::open) return;
  protocol_->announce_drain(grace);
  owner_.mark_dirty(*this);
  // A stream ends when somebody ends it, so nobody can wait for that. Ending one may end others of the table.
  for (const std::uint64_t id : calls_.streams())
    owner_.requests().cancel(calls_, id);
}

// --- Writing ---

void gate_connection::flush() {
  if (phase_ == phase::closed) return;
  if (!write_under_way_ && !out_.empty()) {
    std::swap(out_, writing_);
    std::error_code error;
    // Nearly always all of it fits into the socket's buffer, and no operation has to be set up.
    const std::size_t sent = stream_->write_some(writing_.view(), error);
    if (error) {
      close();
      return;
    }
    owner_.metrics()[metric::bytes_out].add(sent);
    writing_.consume(sent);
    if (writing_.empty()) {
      writing_.shrink(written_bytes_kept);
    } else {
      write_under_way_ = true;
      stream_->async_write(writing_.view(), shared_from_this());
    }
  }
  after_write();
}

void gate_connection::on_written(std::error_code error, std::size_t bytes) {
  GROVE_CHECK(write_under_way_, "a write ends that was not begun");
  write_under_way_ = false;
  if (phase_ == phase::closed) return;
  if (error) {
    close();
    return;
  }
  GROVE_CHECK(bytes == writing_.size(), "a write ends well before all is written");
  owner_.metrics()[metric::bytes_out].add(bytes);
  writing_.clear();
  writing_.shrink(written_bytes_kept);
  flush();
}

void gate_connection::after_write() {
  if (phase_ == phase::refused && !write_under_way_) stream_->shutdown_send();
  // Units that had to wait while there were too many unfinished calls may be here already.
  if (!reading_ && phase_ == phase::open && takes_more() && !in_.empty()) {
    handle_input();
    if (!out_.empty() && !write_under_way_) owner_.mark_dirty(*this);
  }
  if (input_over_ && phase_ == phase::open && all_said()) {
    close();  // What is left in front is half a unit, whose rest will not come.
    return;
  }
  choose_time_out();
  if (may_read()) {
    owner_.read_later(*this);
  } else if (held_up_ != nullptr && !reading_) {
    await_hang_up();  // Nothing else would tell.
  }
}

// --- Time-outs, and the end ---

void gate_connection::choose_time_out() {
  if (phase_ != phase::open) return;
  time_out what = time_out::none;
  if (backlog_bytes() > owner_.limits().output_buffer_bytes_max) {
    what = time_out::slow_reader;
  } else if (!in_.empty() && !input_over_ && has_room()) {
    what = time_out::rest_of_unit;
  }
  if (time_out_ != what) set_time_out(what);
}

void gate_connection::set_time_out(time_out what) {
  time_out_ = what;
  hub& loop = owner_.actors().on();
  switch (what) {
    case time_out::none:
      disarm();
      break;
    case time_out::opening:
      arm_after(loop, owner_.limits().first_frame_within);
      break;
    case time_out::rest_of_unit:
      arm_after(loop, owner_.limits().frame_within);
      break;
    case time_out::slow_reader:
      arm_after(loop, owner_.limits().slow_reader_cut);
      break;
    case time_out::lingering:
      arm_after(loop, linger_for);
      break;
  }
}

void gate_connection::expired() {
  GROVE_CHECK(time_out_ != time_out::none, "a connection's timer has run for nothing");
  const auto self = shared_from_this();
  switch (time_out_) {
    case time_out::opening:
      protocol_->refuse_late(late_input::opening, owner_.limits().first_frame_within);
      flush();
      break;
    case time_out::rest_of_unit:
      protocol_->refuse_late(late_input::rest_of_unit, owner_.limits().frame_within);
      flush();
      break;
    case time_out::slow_reader:
    case time_out::lingering:
      close();
      break;
    case time_out::none:
      break;
  }
}

void gate_connection::close() {
  if (phase_ == phase::closed) return;
  const auto self = shared_from_this();
  phase_ = phase::closed;
  disarm();
  while (message* const call = calls_.detach_one())
    owner_.actors().cancel(*call);
  stream_->close();
  owner_.forget(*this);
}

}  // namespace grove
