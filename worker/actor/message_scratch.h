// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/message.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "worker/actor/actor_type.h"

namespace grove {

/// Message objects that are kept for reuse, so that a turn allocates nothing: requests to be parsed into, by type and
/// method, and copies of states, by type. There are as many as turns have needed at a time; `trim` bounds how many of
/// them stay, and how large.
/// Affinity: the worker's hub thread.
class message_scratch {
 public:
  /// Of each list that many stay, and none that has more in memory; as for requests and states that are larger a copy
  /// costs more than its allocation.
  static constexpr std::size_t kept_max = 64;
  static constexpr std::size_t kept_bytes_max = 16 * 1024;

  using list = std::vector<std::unique_ptr<google::protobuf::Message>>;

  /// `types` has all its types. Lifetime: it is not kept.
  explicit message_scratch(const actor_types& types);
  message_scratch(const message_scratch&) = delete;
  message_scratch& operator=(const message_scratch&) = delete;

  /// Lifetime: lists live as long as this.
  [[nodiscard]] list& requests(const actor_type& type, std::uint16_t method) noexcept {
    return by_type_[type.index()].requests[method];
  }
  [[nodiscard]] list& states(const actor_type& type) noexcept { return by_type_[type.index()].states; }

  /// One of `free`, with whatever it has held, or a new one like `prototype`.
  [[nodiscard]] static std::unique_ptr<google::protobuf::Message> take(list& free,
                                                                       const google::protobuf::Message& prototype) {
    if (free.empty()) return std::unique_ptr<google::protobuf::Message>{prototype.New()};
    std::unique_ptr<google::protobuf::Message> taken = std::move(free.back());
    free.pop_back();
    return taken;
  }

  /// Frees what is too large or too many. It walks through what the messages hold, which turns must not pay for: it is
  /// called about once a second.
  void trim();

 private:
  struct type_lists {
    std::vector<list> requests;  // By method.
    list states;
  };
  std::vector<type_lists> by_type_;
};

}  // namespace grove
