// SPDX-License-Identifier: Apache-2.0
#include "tests/support/memory_stream.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

namespace grove::test {
namespace {

std::error_code reset() {
  return std::make_error_code(std::errc::connection_reset);
}

std::error_code cancelled_operation() {
  return std::make_error_code(std::errc::operation_canceled);
}

}  // namespace

class memory_peer::stream final : public byte_stream {
 public:
  explicit stream(std::shared_ptr<memory_peer> peer) noexcept : peer_{std::move(peer)} {}
  ~stream() override { peer_->close(); }

  void async_read_some(char* place, std::size_t bytes, user who) override {
    EXPECT_FALSE(peer_->reader_) << "two reads at a time";
    peer_->reader_ = std::move(who);
    peer_->place_ = place;
    peer_->place_bytes_ = bytes;
    peer_->read_if_any();
  }
  void async_write(std::string_view bytes, user who) override {
    EXPECT_FALSE(peer_->writer_) << "two writes at a time";
    peer_->writer_ = std::move(who);
    peer_->unwritten_ = bytes;
    peer_->written_ = 0;
    peer_->write_on();
  }
  void async_wait_hang_up(user who) override {
    peer_->waits_for_hang_up_ = std::move(who);
    if (peer_->gone_) peer_->hang_up();
  }
  [[nodiscard]] std::size_t write_some(std::string_view bytes, std::error_code& error) override {
    if (peer_->gone_) error = reset();
    return error ? 0 : peer_->accept(bytes);
  }
  void shutdown_send() override {
    if (!peer_->server_lost_) peer_->output_ended_ = true;
  }
  void close() override { peer_->close(); }
  [[nodiscard]] int descriptor() noexcept override { return -1; }

 private:
  std::shared_ptr<memory_peer> peer_;
};

std::unique_ptr<byte_stream> memory_peer::server_end() {
  return std::make_unique<stream>(shared_from_this());
}

void memory_peer::send(std::string_view bytes) {
  to_server_ += bytes;
  read_if_any();
}

void memory_peer::end_input() {
  input_ended_ = true;
  read_if_any();
}

void memory_peer::hang_up() {
  gone_ = true;
  input_ended_ = true;
  read_if_any();
  write_on();
  if (auto who = std::exchange(waits_for_hang_up_, nullptr)) loop_.post([who] { who->on_hang_up(); });
}

std::string memory_peer::take() {
  std::string taken = std::exchange(to_client_, {});
  write_on();
  return taken;
}

void memory_peer::read_if_any() {
  if (!reader_ || (to_server_.empty() && !input_ended_)) return;
  // The bytes are copied when the operation ends: what comes until then is read with them.
  loop_.post([self = shared_from_this(), who = std::exchange(reader_, nullptr)] {
    if (self->closed_) return who->on_read(cancelled_operation(), 0);
    const std::size_t bytes = std::min(self->place_bytes_, self->to_server_.size());
    std::copy_n(self->to_server_.data(), bytes, self->place_);
    self->to_server_.erase(0, bytes);
    who->on_read({}, bytes);
  });
}

std::size_t memory_peer::accept(std::string_view bytes) {
  if (server_lost_) return bytes.size();
  const std::size_t space = window_ - std::min(window_, to_client_.size());
  const std::size_t accepted = std::min(space, bytes.size());
  to_client_ += bytes.substr(0, accepted);
  return accepted;
}

void memory_peer::write_on() {
  if (!writer_) return;
  if (gone_) {
    loop_.post([who = std::exchange(writer_, nullptr)] { who->on_written(reset(), 0); });
    return;
  }
  const std::size_t accepted = accept(unwritten_);
  unwritten_.remove_prefix(accepted);
  written_ += accepted;
  if (!unwritten_.empty()) return;
  loop_.post([who = std::exchange(writer_, nullptr), bytes = written_] { who->on_written({}, bytes); });
}

void memory_peer::close() {
  closed_ = true;
  if (auto who = std::exchange(reader_, nullptr)) loop_.post([who] { who->on_read(cancelled_operation(), 0); });
  if (auto who = std::exchange(writer_, nullptr)) loop_.post([who] { who->on_written(cancelled_operation(), 0); });
  if (auto who = std::exchange(waits_for_hang_up_, nullptr)) loop_.post([who] { who->on_hang_up(); });
}

}  // namespace grove::test
