// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/message.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/check.h"
#include "base/clock.h"
#include "worker/actor/message_scratch.h"

namespace grove {

class actor_type;
class message_pool;
class reply_sink;
struct actor_cell;
struct stream_state;
struct turn;

/// Where a message is on its way. `runtime::cancel` is a switch over it.
enum class message_state : std::uint8_t {
  arrived,    ///< Taken in; not yet looked at, or on its way to the worker that owns its actor.
  queued,     ///< In its actor's mailbox.
  running,    ///< Its turn runs or waits, that of a streaming method included.
  streaming,  ///< Its turn has ended, the stream that it opened has not.
  committed,  ///< Its turn has ended; what it did, the reply included, waits until what it depends on is durable.
  unsent,     ///< It waits for space on its way to the worker that owns its actor.
  withheld,   ///< A call of a turn whose actor has changes that are not durable: it has not left yet.
  remote,     ///< Another worker has it.
  answered,   ///< Its origin has been told; it is about to be freed.
};

/// A call on its way: from the gate, from an actor of this worker, or from another worker, until it has been
/// answered. One allocation holds it and its bytes (key, payload, call chain, metadata). What an actor sends to another one
/// of its worker carries the request as an object in place of a payload. It is in at most one mailbox or pending table, and
/// besides in its origin's list of unfinished calls.
struct message {
  message(const message&) = delete;
  message& operator=(const message&) = delete;

  [[nodiscard]] std::string_view key() const noexcept { return {bytes(), key_size}; }
  [[nodiscard]] std::string_view payload() const noexcept { return {bytes() + key_size, payload_size}; }

  /// The addresses of the actors that wait for this call, outermost first, as worker/actor/call_chain.h has them; for
  /// messages that actors send. It makes a call cycle visible.
  [[nodiscard]] std::string_view chain() const noexcept { return {bytes() + key_size + payload_size, chain_size}; }

  /// What the caller said beside the payload: entries as worker/actor/metadata.h has them, mostly none.
  [[nodiscard]] std::string_view metadata() const noexcept {
    return {bytes() + key_size + payload_size + chain_size, metadata_size};
  }

  [[nodiscard]] char* payload_place() noexcept { return bytes() + key_size; }
  [[nodiscard]] char* chain_place() noexcept { return payload_place() + payload_size; }

  [[nodiscard]] bool wants_reply() const noexcept { return origin != nullptr; }

  /// Gives it an object for its request, one of `home` or a new one like `prototype`, which goes back there with the
  /// message. To be filled by the caller, who says then that it has been. Lifetime: `home` outlives the message.
  google::protobuf::Message& take_object(message_objects& home, const google::protobuf::Message& prototype);
  void object_is_filled() {
    GROVE_DEBUG_CHECK(object_ != nullptr, "a request is filled in that is no object");
    request_size = static_cast<std::uint32_t>(object_->ByteSizeLong());
  }
  /// The request as an object, which does not change; null: it is `payload()`.
  [[nodiscard]] const google::protobuf::Message* object() const noexcept { return object_.get(); }

  /// Writes key, request, chain and metadata, as `payload()` and so on would have them, one after the other.
  /// Returns what follows the `body_size()` bytes.
  char* write_body(char* place) const;
  [[nodiscard]] std::size_t body_size() const noexcept {
    return std::size_t{key_size} + request_size + chain_size + metadata_size;
  }

  message* next = nullptr;  ///< In its actor's mailbox.

  /// Who is told how the call ended, with two numbers of the origin's own. Null: a tell, or an origin that
  /// has gone.
  reply_sink* origin = nullptr;
  std::uint64_t origin_session = 0;
  std::uint64_t origin_id = 0;

  /// The origin's list of unfinished calls.
  message* previous_call = nullptr;
  message* next_call = nullptr;

  const actor_type* type = nullptr;
  actor_cell* target = nullptr;    ///< While it is queued.
  turn* running = nullptr;         ///< While it runs.
  stream_state* stream = nullptr;  ///< Once a streaming handler has opened it: the stream owns the message then.
  std::uint64_t hash = 0;          ///< Of the address.
  steady_time deadline{};
  std::uint64_t remote_call = 0;  ///< The mesh's number for it, while it is remote.
  std::uint32_t key_size = 0;
  std::uint32_t payload_size = 0;
  std::uint32_t request_size =
      0;  ///< Of the request's encoding: of the payload, or what that of the object would have.
  std::uint32_t chain_size = 0;
  std::uint32_t metadata_size = 0;
  std::uint32_t epoch = 0;        ///< Of the owner that it was sent to, when that is another worker.
  std::uint16_t method = 0;       ///< Index into the type's methods.
  std::uint16_t depth = 0;        ///< How many calls it is nested in.
  std::uint16_t remote_slot = 0;  ///< The worker that has it, while it is remote, or will get it, while it is unsent.
  message_state state = message_state::arrived;
  bool cancelled = false;
  bool one_way = false;  ///< Its origin is told that it is in the mailbox, and not how its turn ends.

 private:
  friend class message_pool;
  friend struct message_release;
  explicit message(message_pool* pool, std::uint32_t size_class) noexcept : size_class_{size_class}, pool_{pool} {}
  ~message() = default;

  [[nodiscard]] const char* bytes() const noexcept { return reinterpret_cast<const char*>(this + 1); }
  [[nodiscard]] char* bytes() noexcept { return reinterpret_cast<char*>(this + 1); }

  std::uint32_t size_class_;  // First, where there is a gap.
  message_pool* pool_;
  std::unique_ptr<google::protobuf::Message> object_;
  message_objects* object_home_ = nullptr;
};

struct message_release {
  void operator()(message* m) const noexcept;
};
using message_ptr = std::unique_ptr<message, message_release>;

/// Where messages are allocated: free lists by size, so that the steady state allocates nothing.
/// Affinity: one thread. Lifetime: outlives its messages.
class message_pool {
 public:
  message_pool() = default;
  message_pool(const message_pool&) = delete;
  message_pool& operator=(const message_pool&) = delete;
  ~message_pool();

  /// A message with copies of these bytes; everything else is at its default.
  [[nodiscard]] message_ptr make(std::string_view key, std::string_view payload, std::string_view chain = {},
                                 std::string_view metadata = {});

  /// The same where the caller has still to write what is not empty, at `payload_place()` and `chain_place()`.
  [[nodiscard]] message_ptr make_blank(std::string_view key, std::size_t payload_size, std::size_t chain_size = 0,
                                       std::size_t metadata_size = 0);

  /// How many messages are out.
  [[nodiscard]] std::size_t in_use() const noexcept { return in_use_; }

 private:
  friend struct message_release;
  void release(message* m) noexcept;

  // Sizes of 64 << class bytes after the header; what is larger is allocated and freed each time.
  static constexpr std::size_t classes = 8;
  static constexpr std::size_t kept_per_class_max = 4096;

  std::array<message*, classes> free_{};
  std::array<std::size_t, classes> free_count_{};
  std::size_t in_use_ = 0;
};

}  // namespace grove
