// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/descriptor_reserve.h"
#include "base/process/shared_segment.h"
#include "worker/main/line_limit.h"

namespace spdlog {
class logger;
}

namespace grove {

/// Which workers can take one more connection: how many they have, and whether they have descriptors, is in shared
/// memory. Says so there and in the log when this one has none.
/// Affinity: the worker's hub thread.
class connection_room {
 public:
  /// Lifetime: all is borrowed.
  connection_room(shared_segment& segment, std::uint32_t slot, std::uint32_t connections_max, const clock& time,
                  spdlog::logger& log) noexcept;

  /// The descriptor for those that are turned away.
  [[nodiscard]] descriptor_reserve& reserve() noexcept { return reserve_; }

  /// Whether the worker of a slot serves and can take one more.
  [[nodiscard]] bool has_room(std::uint32_t slot) const noexcept;
  [[nodiscard]] bool others_have_room() const noexcept;

  /// A connection could not be accepted, or took the last descriptor. Writes a line, at most one in ten seconds.
  void ran_short(int error);
  /// Ends that when there are descriptors again: to be called now and then.
  void look_again();

  /// What a client is told that cannot be served.
  [[nodiscard]] std::string refusal_text(int error) const;

 private:
  [[nodiscard]] worker_metrics& metrics() const noexcept { return segment_.slot(slot_).metrics; }

  shared_segment& segment_;
  std::uint32_t slot_;
  std::uint32_t connections_max_;
  const clock& time_;
  spdlog::logger& log_;
  descriptor_reserve reserve_;
  line_limit lines_;
  bool told_ = false;  // The log says that connections are not accepted.
};

}  // namespace grove
