// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/message_lite.h>

#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/check.h"
#include "base/status.h"
#include "worker/actor/message.h"
#include "worker/hub/timer.h"

namespace grove {

class runtime;
struct actor_cell;

/// The server's end of a streaming call. It owns the call's message until it is closed. As a timer it is armed once the
/// turn that opened it has ended, and closes the stream when the call's time is over.
/// Affinity: the worker's hub thread.
struct stream_state final : hub_timer {
  stream_state(runtime& its_runtime, actor_cell& its_cell, message_ptr its_call) noexcept
      : owner{its_runtime}, cell{&its_cell}, call{std::move(its_call)} {}

  void expired() override;

  runtime& owner;
  actor_cell* cell;                  ///< Null once it is closed.
  message_ptr call;                  ///< Null once it is closed.
  stream_state* previous = nullptr;  ///< In its actor's list of open streams.
  stream_state* next = nullptr;
  std::uint32_t references = 0;
  std::uint32_t handles = 0;  ///< How many of the references are in the user's hands.
};

/// A counted reference to a stream.
class stream_ptr {
 public:
  stream_ptr() noexcept = default;
  explicit stream_ptr(stream_state* s) noexcept : state_{s} {
    if (state_ != nullptr) ++state_->references;
  }
  stream_ptr(const stream_ptr& other) noexcept : stream_ptr{other.state_} {}
  stream_ptr(stream_ptr&& other) noexcept : state_{std::exchange(other.state_, nullptr)} {}
  stream_ptr& operator=(stream_ptr other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~stream_ptr() {
    if (state_ == nullptr) return;
    GROVE_DEBUG_CHECK(state_->references > 0, "a stream is released more often than it was held");
    if (--state_->references == 0) delete state_;
  }
  [[nodiscard]] stream_state* get() const noexcept { return state_; }
  [[nodiscard]] stream_state* operator->() const noexcept { return state_; }
  explicit operator bool() const noexcept { return state_ != nullptr; }

 private:
  stream_state* state_ = nullptr;
};

namespace actors::detail {

void write_item(const stream_ptr& s, const google::protobuf::MessageLite& item);
void close_stream(const stream_ptr& s, const status& end) noexcept;

}  // namespace actors::detail

/// What a streaming handler writes its results to. It may be kept by the actor and written to by later turns.
/// Dropping the last copy closes the stream with OK. An actor that holds one is not passivated. Affinity:
/// turns of the actor that it was given to.
template <class Item>
class stream {
 public:
  stream() noexcept = default;
  explicit stream(stream_ptr state) noexcept : state_{std::move(state)} {
    if (state_) ++state_->handles;
  }
  stream(const stream& other) noexcept : stream{other.state_} {}
  stream(stream&& other) noexcept : state_{std::move(other.state_)} {}
  stream& operator=(stream other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~stream() {
    if (state_ && --state_->handles == 0) actors::detail::close_stream(state_, status{});
  }

  /// Sends `item` when this turn has succeeded. Nothing happens when the stream is closed. A reader that is
  /// so slow that more than its connection's output limit waits for it gets RESOURCE_EXHAUSTED and the stream
  /// is closed.
  void write(const Item& item) { actors::detail::write_item(state_, item); }

  /// Ends the stream when this turn has succeeded, with OK or with an error.
  void close(const status& end = {}) { actors::detail::close_stream(state_, end); }

  /// Whether the other side has closed it, or this one has.
  [[nodiscard]] bool closed() const noexcept { return !state_ || state_->call == nullptr; }

 private:
  stream_ptr state_;
};

}  // namespace grove
