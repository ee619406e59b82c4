// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/check.h"
#include "worker/actor/message_queue.h"

namespace grove {

/// What the runtime itself has to tell an actor.
enum class control_kind : std::uint8_t {
  passivate,      ///< Nobody has needed the actor for a while.
  stream_closed,  ///< A stream that the actor held was closed from the other side.
};

/// An actor's queue, in two lanes, as Akka and CAF have them. Control messages are a bit each: they cannot be
/// lost, take no memory and come first. User messages are a queue, bounded by whoever pushes. Lifetime: messages are
/// owned while they are in it.
class mailbox {
 public:
  mailbox() = default;
  mailbox(const mailbox&) = delete;
  mailbox& operator=(const mailbox&) = delete;

  [[nodiscard]] bool empty() const noexcept { return queue_.empty() && control_ == 0; }
  [[nodiscard]] bool has_messages() const noexcept { return !queue_.empty(); }
  [[nodiscard]] std::uint32_t messages() const noexcept { return count_; }
  [[nodiscard]] std::uint32_t bytes() const noexcept { return bytes_; }

  /// Of the messages in it, or never.
  [[nodiscard]] steady_time earliest_deadline() const noexcept;

  /// What `m` adds to `bytes()`.
  [[nodiscard]] static std::uint32_t weight(const message& m) noexcept {
    return m.request_size + m.chain_size + m.metadata_size;
  }

  void push(message_ptr m) noexcept;
  void push_control(control_kind kind) noexcept { control_ |= bit(kind); }
  [[nodiscard]] bool has_control() const noexcept { return control_ != 0; }

  /// True, once, for each kind that was pushed.
  [[nodiscard]] bool take_control(control_kind kind) noexcept;

  /// The first message that `may_start(message)` lets pass; null when there is none.
  template <class Predicate>
  [[nodiscard]] message_ptr pop_if(Predicate may_start) {
    message_ptr found = queue_.pop_if(may_start);
    if (found != nullptr) weigh_out(*found);
    return found;
  }

  /// Takes `m` out from wherever it is; null when it is not here.
  [[nodiscard]] message_ptr remove(const message& m) noexcept;

  /// The first one; the others follow by `next`. Null when there is none.
  [[nodiscard]] const message* first() const noexcept { return queue_.first(); }

 private:
  static constexpr std::uint8_t bit(control_kind kind) noexcept {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(kind));
  }
  void weigh_out(const message& m) noexcept {
    GROVE_DEBUG_CHECK(count_ > 0 && bytes_ >= weight(m), "a mailbox gives more than it was given");
    --count_;
    bytes_ -= weight(m);
  }

  message_queue queue_;
  std::uint32_t count_ = 0;
  std::uint32_t bytes_ = 0;
  std::uint8_t control_ = 0;
};

}  // namespace grove
