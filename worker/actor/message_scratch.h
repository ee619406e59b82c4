// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/message.h>

#include <cstddef>
#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace grove {

/// Message objects of one kind that are kept for reuse, so that a turn allocates nothing: requests to be parsed into or
/// handed over, and copies of states. There are as many as turns have needed at a time; `trim` bounds how many of them
/// stay, and how large.
using message_objects = std::vector<std::unique_ptr<google::protobuf::Message>>;

namespace message_scratch {

/// That many stay, and none that has more in memory; as for requests and states that are larger a copy costs more than
/// its allocation.
inline constexpr std::size_t kept_max = 64;
inline constexpr std::size_t kept_bytes_max = 16 * 1024;

/// One of `free`, with whatever it has held, or a new one like `prototype`.
[[nodiscard]] inline std::unique_ptr<google::protobuf::Message> take(message_objects& free,
                                                                     const google::protobuf::Message& prototype) {
  if (free.empty()) return std::unique_ptr<google::protobuf::Message>{prototype.New()};
  std::unique_ptr<google::protobuf::Message> taken = std::move(free.back());
  free.pop_back();
  return taken;
}

/// Keeps it for the next one; without memory for that it is freed.
inline void give_back(message_objects& free, std::unique_ptr<google::protobuf::Message> used) noexcept {
  try {
    free.push_back(std::move(used));
  } catch (const std::bad_alloc&) {
    // Nothing was lost but an allocation that the next turn makes.
  }
}

/// Frees what is too large or too many. It walks through what the messages hold, which turns must not pay for: it is
/// called about once a second.
void trim(message_objects& kept);

}  // namespace message_scratch

}  // namespace grove
