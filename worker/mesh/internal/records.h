// SPDX-License-Identifier: Apache-2.0
#pragma once

// The bodies of the records that workers send each other, in the rings of worker/mesh/ring.h: structs copied as they are;
// `segment_layout_version` is their version, too. Types and methods are named by their ids, so that workers whose types
// differ, or were registered in another order, understand one another.
//
//   request    request_head, key, payload, call chain, metadata
//   reply      reply_head, text, payload          the call has ended
//   item       reply_head, payload                one element of a streaming call
//   cancel     note_head                          the caller gives the call up
//   progress   note_head                          `value` bytes of items have reached the client
//   emptied    note_head                          the ring to the sender was damaged; what it had published up to
//                                                 position `value` is lost
//
// `call` is the caller's number for it: an index into its pending calls (low half) and a counter (high half, never
// 0) that tells uses of an index apart. 0 in a request: a tell, nobody waits.
//
// `to_generation` is the process that it is meant for: a record to a predecessor is dropped by its successor.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>

#include "base/check.h"

namespace grove::meshes::detail {

enum class record_kind : std::uint8_t { request = 1, reply, item, cancel, progress, emptied };

/// What every record begins with.
struct record_head {
  record_kind kind{};
  std::uint8_t code = 0;     ///< A reply's status code.
  std::uint8_t outcome = 0;  ///< A reply's.
  std::uint8_t reserved = 0;
  std::uint32_t to_generation = 0;
  std::uint64_t call = 0;
};

inline constexpr std::int64_t no_deadline = std::numeric_limits<std::int64_t>::max();

struct request_head {
  record_head common;
  std::uint64_t hash = 0;
  std::int64_t left_ns = 0;  ///< Of the call's time when it was written; the greatest number: it has no deadline.
  std::uint64_t type_id = 0;
  std::uint64_t method_id = 0;
  std::uint32_t from_generation = 0;
  std::uint32_t key_size = 0;
  std::uint32_t payload_size = 0;
  std::uint32_t chain_size = 0;
  std::uint32_t metadata_size = 0;
  std::uint32_t epoch = 0;  ///< Of the address' owner, by which the sender went.
  std::uint16_t depth = 0;
  std::uint16_t one_way = 0;  ///< 1: it is answered when it is in the mailbox.
  std::array<std::uint16_t, 2> reserved{};
};

struct reply_head {
  record_head common;
  std::uint32_t text_size = 0;
  std::uint32_t payload_size = 0;
};

struct note_head {
  record_head common;
  std::uint64_t value = 0;
};

/// Writes a head at `place` and returns what follows it.
template <class Head>
char* put_head(char* place, const Head& head) noexcept {
  std::memcpy(place, &head, sizeof head);
  return place + sizeof head;
}

inline char* put_bytes(char* place, std::string_view bytes) noexcept {
  if (!bytes.empty()) std::memcpy(place, bytes.data(), bytes.size());
  return place + bytes.size();
}

/// Takes a head off the front of `body`; false when it is too short.
template <class Head>
[[nodiscard]] bool take_head(std::string_view& body, Head& head) noexcept {
  if (body.size() < sizeof head) return false;
  std::memcpy(&head, body.data(), sizeof head);
  body.remove_prefix(sizeof head);
  return true;
}

/// Takes bytes off the front of `body`, which has them.
[[nodiscard]] inline std::string_view take_bytes(std::string_view& body, std::size_t bytes) noexcept {
  GROVE_DEBUG_CHECK(bytes <= body.size(), "more is taken off a record than it has");
  const std::string_view taken = body.substr(0, bytes);
  body.remove_prefix(taken.size());
  return taken;
}

}  // namespace grove::meshes::detail
