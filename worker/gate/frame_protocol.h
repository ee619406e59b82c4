// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "proto/wire/envelope.h"
#include "proto/wire/frame.h"
#include "worker/gate/protocol.h"

namespace grove {

/// The protocol of proto/grove/v1/wire.proto, Grove's own: frames, an Envelope in each.
class frame_protocol_factory final : public protocol_factory {
 public:
  [[nodiscard]] std::unique_ptr<protocol> make(gate_connection& connection) override;
  void append_refusal(byte_buffer& out, status_code code, std::string_view text) const override;

  /// Where the frame that is being handled is decoded to: one place for all, since clearing a new one costs more.
  [[nodiscard]] wire::envelope_view& decoded() noexcept { return decoded_; }

 private:
  wire::envelope_view decoded_;
};

/// One connection's side of it: hello and welcome, then requests and cancels in, responses and items out.
class frame_protocol final : public protocol {
 public:
  /// Lifetime: both are borrowed.
  frame_protocol(gate_connection& connection, frame_protocol_factory& shared) noexcept
      : connection_{connection}, shared_{shared} {}

  [[nodiscard]] std::size_t take(byte_buffer& in) override;
  void refuse(status_code code, std::string_view text) override;
  void refuse_late(late_input what, std::chrono::milliseconds within) override;
  void announce_drain(std::chrono::milliseconds grace) override;
  void probe() override;

  /// What does not fit into a frame ends the call: RESOURCE_EXHAUSTED, and of an item the origin lets go of `call`.
  void finish(message& call, const reply& end) override;
  void item(message& call, const payload_source& payload) override;
  [[nodiscard]] std::size_t backlog_bytes(const message& call) const override;
  void held_up(message& call) override;
  void goes_on(message& call) override;

 private:
  /// False: it has to wait.
  [[nodiscard]] bool handle(std::string_view envelope);
  void handle_request(const wire::request_view& request);
  void handle_hello(const wire::hello_view& hello);
  void refuse_frame(const wire::frame_view& frame);
  [[nodiscard]] std::string welcome_envelope(bool with_owners) const;

  void respond(std::uint64_t id, const reply& end);
  [[gnu::noinline]] void respond_too_large(std::uint64_t id, outcome result, std::size_t bytes);
  [[nodiscard]] std::uint32_t frame_bytes_max() const noexcept;
  /// Of the frame that was appended when there were `start` bytes.
  [[nodiscard]] std::size_t envelope_bytes_since(std::size_t start) const noexcept;

  gate_connection& connection_;
  frame_protocol_factory& shared_;
  bool greeted_ = false;
};

}  // namespace grove
