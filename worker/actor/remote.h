// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/status.h"
#include "worker/actor/message.h"

namespace grove {

/// What `remote::send` would do with a call at present.
enum class send_readiness : std::uint8_t {
  ready,     ///< Send it.
  no_space,  ///< Refuse it, because what was sent before has not been read yet. It can wait.
  refused,   ///< Refuse it, and there is nothing to wait for.
};

/// What the runtime asks of the mesh: to reach actors of other workers. worker/actor/placement.h says where they are.
/// Affinity: the worker's hub thread. None of its functions switches.
class remote {
 public:
  remote() = default;
  remote(const remote&) = delete;
  remote& operator=(const remote&) = delete;
  virtual ~remote() = default;

  /// What `send` would do with `call`, which wants a reply. Who is told `no_space` asks again in the next iteration of the
  /// loop, which does not sleep over space that there is for this call by then.
  [[nodiscard]] virtual send_readiness readiness(std::uint32_t slot, const message& call) = 0;

  /// Sends `call` to the worker of `slot`, with its epoch, and keeps it until it is answered, at the latest by that worker's
  /// death; then its origin is told. A tell (no origin) is freed once it is in the ring. What cannot be sent
  /// (the worker is down, its ring is full: see `readiness`) is refused at once: UNAVAILABLE or RESOURCE_EXHAUSTED.
  virtual void send(std::uint32_t slot, message_ptr call) = 0;

  /// Asks the worker that has `call` to give it up. The answer comes as for every call.
  virtual void cancel(message& call) = 0;
};

/// What the mesh asks of the runtime.
class message_receiver {
 public:
  message_receiver() = default;
  message_receiver(const message_receiver&) = delete;
  message_receiver& operator=(const message_receiver&) = delete;
  virtual ~message_receiver() = default;

  /// Takes a call of another worker in. When actors are run next it is put into its actor's mailbox, activating the actor
  /// if need be, or answered if it cannot be taken. One for an address that this worker does not own, or did not own in the
  /// epoch that the call was sent by, is refused: UNAVAILABLE, not executed.
  virtual void deliver(message_ptr call) = 0;

  /// Answers a call that does not run with `why`, and frees it. Nobody waits for a tell: it is counted and logged.
  virtual void refuse(message_ptr call, const status& why) = 0;

  /// Gives `call` up: it leaves its mailbox, or its turn is cancelled at the next switch point.
  virtual void cancel(message& call) = 0;
};

}  // namespace grove
