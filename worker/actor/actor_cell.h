// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "worker/actor/hosted_type.h"
#include "worker/actor/mailbox.h"
#include "worker/actor/state_store.h"

namespace grove {

class actor;
struct stream_state;
struct turn;

/// What the runtime knows of one active actor. One allocation holds the cell, the user's object and the key,
/// in this order, so that a turn touches few cache lines.
struct actor_cell {
  enum class phase : std::uint8_t {
    fresh,       ///< There is no object: the next turn makes it.
    activating,  ///< The object is being made, or on_activate has begun; no turn may start.
    active,
    passivating,  ///< on_passivate has begun; no turn may start.
  };

  actor_cell(hosted_type& of_type, std::uint64_t of_address) noexcept : hosted{of_type}, hash{of_address} {}
  actor_cell(const actor_cell&) = delete;
  actor_cell& operator=(const actor_cell&) = delete;

  [[nodiscard]] const actor_type& type() const noexcept { return hosted.type; }
  [[nodiscard]] std::string_view key() const noexcept {
    return {reinterpret_cast<const char*>(this) + hosted.type.key_offset(), key_size};
  }
  /// "Type/key", for a person.
  [[nodiscard]] std::string address_text() const { return std::string{type().name()}.append("/").append(key()); }

  hosted_type& hosted;
  std::uint64_t hash;
  actor* object = nullptr;  ///< Null while it is fresh.
  mailbox mail;
  actor_cell* next_ready = nullptr;
  stream_state* streams = nullptr;  ///< The streams that this actor holds open.
  turn* exclusive = nullptr;        ///< The turn or hook that others must wait for, unless their method interleaves.
  ticket last_ticket = 0;           ///< Of its last change, or of what it waited behind.
  std::uint32_t turns_running = 0;  ///< Suspended ones and interleaved ones included, and hooks.
  std::uint32_t index = 0;          ///< In the directory.
  std::uint32_t last_used = 0;      ///< In sweeps of the directory.
  std::uint16_t key_size = 0;
  phase life = phase::fresh;
  bool ready = false;  ///< It is in the runtime's ready queue.
};

}  // namespace grove
