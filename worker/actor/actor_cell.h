// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "worker/actor/actor_type.h"
#include "worker/actor/mailbox.h"

namespace grove {

class runtime;
struct stream_state;

/// What the runtime knows of one active actor. One allocation holds the cell, the user's object and the key,
/// in this order, so that a turn touches few cache lines.
struct actor_cell {
  enum class phase : std::uint8_t {
    fresh,       ///< There is no object: the next turn makes it.
    activating,  ///< The object is being made, or on_activate has begun; no turn may start.
    active,
    passivating,  ///< on_passivate has begun; no turn may start.
  };

  actor_cell(runtime& its_owner, const actor_type& its_type, std::uint64_t its_hash) noexcept
      : owner{its_owner}, type{&its_type}, hash{its_hash} {}
  actor_cell(const actor_cell&) = delete;
  actor_cell& operator=(const actor_cell&) = delete;

  [[nodiscard]] std::string_view key() const noexcept { return {key_bytes, key_size}; }
  /// "Type/key", for a person.
  [[nodiscard]] std::string address_text() const { return std::string{type->name()}.append("/").append(key()); }

  runtime& owner;
  const actor_type* type;
  std::uint64_t hash;
  actor* object = nullptr;  ///< Null while it is fresh.
  mailbox mail;
  actor_cell* next_ready = nullptr;
  stream_state* streams = nullptr;  ///< The streams that this actor holds open.
  const char* key_bytes = nullptr;
  std::uint32_t turns_running = 0;  ///< Suspended ones and interleaved ones included, and on_stream_closed.
  std::uint32_t index = 0;          ///< In the directory.
  std::uint32_t last_used = 0;      ///< In sweeps of the directory.
  std::uint16_t key_size = 0;
  phase life = phase::fresh;
  bool exclusive = false;  ///< One of them is such that turns must wait for it, unless their method interleaves.
  bool ready = false;      ///< It is in the runtime's ready queue.
};

}  // namespace grove
