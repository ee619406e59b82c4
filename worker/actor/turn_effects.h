// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "worker/actor/message_queue.h"
#include "worker/actor/reply.h"
#include "worker/actor/stream_state.h"

namespace grove {

/// Something that a turn has done to a stream.
struct stream_effect {
  enum class kind : std::uint8_t { item, close };
  stream_ptr stream;
  kind what = kind::item;
  std::string item;  ///< Encoded.
  status end;        ///< Of a stream that is closed, with
  outcome result = outcome::executed;
};

/// What a turn has done when it ends, beside the change of its actor's state: a value, of which nothing has left the
/// worker, and which leaves as a whole and at one place, `runtime::release`, when the state that it depends on is durable
/// (the output gate of the literature on rollback recovery). Calls of a turn are none: they leave while it runs.
struct turn_effects {
  message_queue tells;
  std::vector<stream_effect> streamed;
  reply end;  ///< For the turn's caller. Borrows, until it is held.
};

}  // namespace grove
