// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "worker/actor/message.h"
#include "worker/actor/state_store.h"
#include "worker/actor/turn_effects.h"
#include "worker/hub/waiter.h"

namespace grove {

/// Something that waits in a worker's line until a ticket is durable. One of: what a turn did, a call or tell that has not
/// left yet, somebody who goes on then.
struct held_item {
  ticket until = 0;
  message_ptr call;           ///< Withheld, or with `is_turn` the one that the turn has handled (null: a hook's).
  bool is_turn = false;       ///< `effects` are to be released.
  turn_effects effects;       ///< Of its reply, text and payload are the two below.
  message_ptr reply_payload;  ///< Pooled bytes.
  std::string reply_text;
  waiter* goes_on = nullptr;  ///< Somebody who only waits for the ticket; null once he does not any more.
};

}  // namespace grove
