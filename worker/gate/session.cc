// SPDX-License-Identifier: Apache-2.0
#include "worker/gate/session.h"

#include <asio/buffer.hpp>
#include <asio/write.hpp>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/limit_text.h"
#include "base/text.h"
#include "proto/wire/frame.h"
#include "worker/gate/gate.h"
#include "worker/gate/request_intake.h"

namespace grove {
namespace {

constexpr std::size_t read_bytes = 64 * 1024;

// A buffer that had to be larger for a frame is not kept; twice a read is what reads that end inside frames need.
constexpr std::size_t read_bytes_kept = 2 * read_bytes;

// A buffer that had to be larger for a few answers is not kept.
constexpr std::size_t written_bytes_kept = 64 * 1024;

// How many frames are handled before the turns that they ask for are run: well below what a mailbox takes, so that a
// client that has many calls to one actor in one read is not told that the mailbox is full.
constexpr std::size_t frames_per_run = 64;

constexpr std::chrono::milliseconds linger_for{1000};

[[nodiscard]] bool is_stream(const message& call) {
  return call.type->methods()[call.method].streaming;
}

std::string version_text(std::uint32_t version) {
  return "protocol version " + std::to_string(version) + " is not supported; this server speaks version " +
         std::to_string(wire::protocol_version);
}

}  // namespace

session::session(gate& owner, gate_socket socket, bool handed_over)
    : owner_{owner}, socket_{std::move(socket)}, handed_over_{handed_over} {}

session::~session() = default;

void session::start_refused(std::string_view text) {
  refuse(status_code::resource_exhausted, text);
  flush();
}

void session::start(std::string_view already_read) {
  in_.append(already_read);
  watch_for(watch::first_frame);
  handle_frames();
  flush();
}

// --- Reading ---

bool session::takes_more() const noexcept {
  if (phase_ == phase::closed || reading_) return false;
  if (phase_ == phase::refused) return true;
  const limits& bounds = owner_.bounds();
  return unfinished_ < bounds.unfinished_calls_max && backlog_bytes() <= bounds.output_buffer_bytes_max;
}

void session::read() {
  if (!may_read()) return;
  reading_ = true;
  // What is there of a frame that is not complete stays in front, mostly without a larger buffer.
  const std::size_t room = in_.size() <= read_bytes / 2 ? read_bytes - in_.size() : read_bytes;
  char* const place = in_.prepare(room);
  socket_.async_read_some(
      asio::buffer(place, room),
      [self = shared_from_this()](std::error_code error, std::size_t bytes) { self->on_read(error, bytes); });
}

void session::on_read(std::error_code error, std::size_t bytes) {
  reading_ = false;
  if (phase_ == phase::closed) return;
  if (error == asio::error::eof && phase_ == phase::open) {
    input_ended();
    return;
  }
  if (error) {
    close();
    return;
  }
  owner_.metrics()[metric::bytes_in].add(bytes);
  if (phase_ == phase::refused) {
    read();
    return;
  }
  in_.commit(bytes);
  handle_frames();
  flush();
}

void session::input_ended() {
  input_over_ = true;
  if (!all_said()) {
    // A client that has gone altogether looks the same, until something is sent: then its system hangs up, and its calls
    // are cancelled as they would have been.
    wire::append_ping(out_, 0);
    await_hang_up();
  }
  flush();
}

void session::await_hang_up() {
  socket_.async_wait(gate_socket::wait_error, [self = shared_from_this()](std::error_code) { self->close(); });
}

bool session::all_said() const noexcept {
  return unfinished_ == 0 && out_.empty() && !write_under_way_;
}

void session::handle_frames() {
  if (handling_) return;
  handling_ = true;
  try {
    take_frames();
  } catch (...) {
    // Half of a read has been handled, and nobody can tell which half.
    close();
    throw;
  }
  handling_ = false;
}

void session::take_frames() {
  std::size_t handled = 0;
  while (takes_frames() && backlog_bytes() <= owner_.bounds().output_buffer_bytes_max) {
    if (unfinished_ >= owner_.bounds().unfinished_calls_max) {
      owner_.actors().run_ready();
      if (unfinished_ >= owner_.bounds().unfinished_calls_max) break;
    }
    const wire::frame_view frame = wire::first_frame(in_.view(), owner_.bounds().frame_bytes_max);
    if (frame.state == wire::frame_state::incomplete) break;
    if (frame.state == wire::frame_state::empty) {
      refuse(status_code::invalid_argument, "a frame of length 0; every frame carries an Envelope");
      break;
    }
    if (frame.state == wire::frame_state::too_large) {
      refuse(status_code::resource_exhausted,
             "a frame of " + std::to_string(frame.length) + " bytes; " +
                 limit_text("frame_bytes", owner_.bounds().frame_bytes_max) +
                 (phase_ == phase::awaiting_hello ? " (is this a client of the Grove protocol?)" : ""));
      break;
    }
    handle(frame.envelope);
    if (!takes_frames()) break;  // A refusal has thrown the input away.
    in_.consume(frame.consumed);
    if (++handled % frames_per_run == 0) owner_.actors().run_ready();
  }
  if (handled == 0) return;
  in_.shrink(read_bytes_kept);
  // The time is each frame's own: the one that is not complete yet has all of it before it.
  if (watch_ == watch::whole_frame) watch_for(watch::nothing);
  if (phase_ != phase::closed) owner_.actors().run_ready();
}

void session::handle(std::string_view envelope) {
  wire::envelope_view& view = owner_.decoded();
  if (!wire::decode_envelope(envelope, view)) {
    refuse(status_code::invalid_argument, "a frame whose bytes are no Envelope");
    return;
  }
  if (phase_ == phase::awaiting_hello) {
    if (view.kind == wire::body_kind::hello) {
      hello(view.hello);
    } else {
      refuse(status_code::failed_precondition, "the first frame must be a Hello");
    }
    return;
  }
  switch (view.kind) {
    case wire::body_kind::request:
      request_intake{*this}.take(view.request);
      break;
    case wire::body_kind::cancel:
      request_intake{*this}.cancel(view.number);
      break;
    case wire::body_kind::ping:
      wire::append_pong(out_, view.number);
      break;
    case wire::body_kind::pong:
      break;
    case wire::body_kind::none:
      break;  // From a newer client, which expects nothing of it.
    default:
      refuse(status_code::invalid_argument, "a frame that only a server sends, or a second Hello");
      break;
  }
}

void session::hello(const wire::hello_view& hello) {
  if (hello.version != wire::protocol_version) {
    refuse(status_code::unimplemented, version_text(hello.version));
    return;
  }
  const gate_surroundings& around = owner_.around();
  if (hello.wanted_worker && *hello.wanted_worker >= around.workers()) {
    refuse(status_code::invalid_argument, "wanted_worker is " + std::to_string(*hello.wanted_worker) +
                                              "; this server has the workers 0 to " +
                                              std::to_string(around.workers() - 1));
    return;
  }
  const bool elsewhere = hello.wanted_worker && *hello.wanted_worker != around.own_slot() && !handed_over_;
  if (elsewhere && hand_over(*hello.wanted_worker)) return;
  phase_ = phase::open;
  watch_for(watch::nothing);
  wire::append_frame(out_, owner_.welcome_envelope((hello.features & wire::feature_routing) != 0));
  if (owner_.draining()) wire::append_drain(out_, 0);
}

bool session::hand_over(std::uint32_t slot) {
  if (!owner_.around().hand_over(slot, socket_.native_handle(), in_.view())) return false;
  owner_.metrics()[metric::handoffs_out].add();
  close();
  return true;
}

void session::refuse(status_code code, std::string_view text) {
  owner_.metrics()[metric::refusals].add();
  wire::append_refusal(out_, {.code = code, .message = text});
  phase_ = phase::refused;
  in_.clear();
  watch_for(watch::lingering);
}

// --- Calls ---

void session::begin_call(message& call) {
  call.origin = &owner_;
  call.origin_session = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(this));
  call.previous_call = nullptr;
  call.next_call = calls_;
  if (calls_ != nullptr) calls_->previous_call = &call;
  calls_ = &call;
  ++unfinished_;
  owner_.call_began();
}

void session::forget_call(message& call) {
  (call.previous_call == nullptr ? calls_ : call.previous_call->next_call) = call.next_call;
  if (call.next_call != nullptr) call.next_call->previous_call = call.previous_call;
  call.previous_call = call.next_call = nullptr;
  call.origin = nullptr;
  --unfinished_;
  owner_.call_ended();
}

void session::finish(message& call, const reply& end) {
  const std::uint64_t id = call.origin_id;
  const bool ended_by_drain = owner_.draining() && end.code == status_code::cancelled && is_stream(call);
  forget_call(call);
  if (ended_by_drain) {
    respond(id, {.code = status_code::unavailable, .result = end.result, .text = "the server is draining"});
  } else {
    respond(id, end);
  }
}

void session::respond(std::uint64_t id, const reply& end) {
  if (!is_utf8(end.text)) [[unlikely]] {
    // What a handler throws may have any bytes in it, and a client would lose the whole response for them.
    const std::string text = utf8_text(end.text);
    respond(id, {.code = end.code, .result = end.result, .text = text, .payload = end.payload});
    return;
  }
  const std::size_t start = out_.size();
  char* const place = wire::append_response(
      out_, {.id = id, .code = end.code, .message = end.text, .result = end.result, .payload = {}}, end.payload.size());
  if (const std::size_t bytes = envelope_bytes_since(start); bytes <= owner_.bounds().frame_bytes_max) [[likely]] {
    end.payload.write(place);
    count(end.code, end.result);
  } else {
    out_.truncate(start);
    respond_too_large(id, end.result, bytes);
  }
  if (!handling_) owner_.mark_dirty(*this);
}

void session::respond_too_large(std::uint64_t id, outcome result, std::size_t bytes) {
  const std::string text = over_limit_text("the response", bytes, "frame_bytes", owner_.bounds().frame_bytes_max);
  const wire::response_view instead{
      .id = id, .code = status_code::resource_exhausted, .message = text, .result = result, .payload = {}};
  (void)wire::append_response(out_, instead, 0);
  count(instead.code, instead.result);
}

void session::count(status_code code, outcome result) {
  worker_metrics& metrics = owner_.metrics();
  if (code == status_code::ok) {
    metrics[metric::responses_ok].add();
  } else {
    metrics[result == outcome::executed       ? metric::errors_executed
            : result == outcome::not_executed ? metric::errors_not_executed
                                              : metric::errors_unknown]
        .add();
  }
}

void session::item(message& call, const payload_source& payload) {
  const std::size_t start = out_.size();
  char* const place = wire::append_item(out_, call.origin_id, payload.size());
  const std::size_t bytes = envelope_bytes_since(start);
  if (bytes <= owner_.bounds().frame_bytes_max) {
    payload.write(place);
    if (!handling_) owner_.mark_dirty(*this);
    return;
  }
  out_.truncate(start);
  const std::uint64_t id = call.origin_id;
  const std::string text = over_limit_text("an item", bytes, "frame_bytes", owner_.bounds().frame_bytes_max);
  forget_call(call);
  respond(id, {.code = status_code::resource_exhausted, .result = outcome::executed, .text = text, .payload = {}});
}

std::size_t session::envelope_bytes_since(std::size_t start) const noexcept {
  return out_.size() - start - wire::frame_header_bytes;
}

void session::tell_drain(std::chrono::milliseconds grace) {
  if (phase_ != phase::open) return;
  wire::append_drain(out_, static_cast<std::uint64_t>(std::chrono::microseconds{grace}.count()));
  owner_.mark_dirty(*this);
  // A stream ends when somebody ends it, so nobody can wait for that. Ending one may end others of this list.
  std::vector<std::uint64_t> streams;
  for (const message* call = calls_; call != nullptr; call = call->next_call) {
    if (is_stream(*call)) streams.push_back(call->origin_id);
  }
  for (const std::uint64_t id : streams)
    request_intake{*this}.cancel(id);
}

// --- Writing ---

void session::flush() {
  if (phase_ == phase::closed) return;
  if (!write_under_way_ && !out_.empty()) {
    std::swap(out_, writing_);
    std::error_code error;
    // Nearly always all of it fits into the socket's buffer, and no operation has to be set up.
    const std::size_t sent = socket_.write_some(asio::buffer(writing_.view().data(), writing_.size()), error);
    if (error && error != asio::error::would_block && error != asio::error::try_again) {
      close();
      return;
    }
    owner_.metrics()[metric::bytes_out].add(sent);
    writing_.consume(sent);
    if (writing_.empty()) {
      writing_.shrink(written_bytes_kept);
    } else {
      write_under_way_ = true;
      asio::async_write(socket_, asio::buffer(writing_.view().data(), writing_.size()),
                        [self = shared_from_this()](std::error_code failure, std::size_t bytes) {
                          self->on_written(failure, bytes);
                        });
    }
  }
  after_write();
}

void session::on_written(std::error_code error, std::size_t bytes) {
  write_under_way_ = false;
  if (phase_ == phase::closed) return;
  if (error) {
    close();
    return;
  }
  owner_.metrics()[metric::bytes_out].add(bytes);
  writing_.clear();
  writing_.shrink(written_bytes_kept);
  flush();
}

void session::after_write() {
  if (phase_ == phase::refused && !write_under_way_) {
    std::error_code ignored;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  }
  // Frames that had to wait while there were too many unfinished calls may be here already.
  if (!reading_ && phase_ == phase::open && takes_more() && !in_.empty()) {
    handle_frames();
    if (!out_.empty() && !write_under_way_) owner_.mark_dirty(*this);
  }
  if (input_over_ && phase_ == phase::open && all_said()) {
    close();  // What is left in front is half a frame, whose rest will not come.
    return;
  }
  keep_watch();
  if (may_read()) owner_.read_later(*this);
}

// --- The end, and the watch for clients that take too long ---

void session::keep_watch() {
  if (phase_ != phase::open) return;
  if (backlog_bytes() > owner_.bounds().output_buffer_bytes_max) {
    if (watch_ != watch::slow_reader) watch_for(watch::slow_reader);
  } else if (!in_.empty() && !input_over_ && unfinished_ < owner_.bounds().unfinished_calls_max) {
    if (watch_ != watch::whole_frame) watch_for(watch::whole_frame);
  } else if (watch_ != watch::nothing) {
    watch_for(watch::nothing);
  }
}

void session::watch_for(watch what) {
  watch_ = what;
  hub& on = owner_.actors().on();
  const limits& bounds = owner_.bounds();
  switch (what) {
    case watch::nothing:
      disarm();
      break;
    case watch::first_frame:
      arm_after(on, bounds.first_frame_within);
      break;
    case watch::whole_frame:
      arm_after(on, bounds.frame_within);
      break;
    case watch::slow_reader:
      arm_after(on, bounds.slow_reader_cut);
      break;
    case watch::lingering:
      arm_after(on, linger_for);
      break;
  }
}

void session::expired() {
  const auto self = shared_from_this();
  const limits& bounds = owner_.bounds();
  switch (watch_) {
    case watch::first_frame:
      refuse(status_code::deadline_exceeded, "no complete first frame within " +
                                                 std::to_string(bounds.first_frame_within.count()) +
                                                 " ms (limits.first-frame-within)");
      flush();
      break;
    case watch::whole_frame:
      refuse(status_code::deadline_exceeded, "a frame that was not complete within " +
                                                 std::to_string(bounds.frame_within.count()) +
                                                 " ms (limits.frame-within)");
      flush();
      break;
    case watch::slow_reader:
    case watch::lingering:
      close();
      break;
    case watch::nothing:
      break;
  }
}

void session::close() {
  if (phase_ == phase::closed) return;
  const auto self = shared_from_this();
  phase_ = phase::closed;
  disarm();
  while (calls_ != nullptr) {
    message& call = *calls_;
    forget_call(call);
    owner_.actors().cancel(call);
  }
  std::error_code ignored;
  socket_.close(ignored);
  owner_.forget(*this);
}

}  // namespace grove
