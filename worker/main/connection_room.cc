// SPDX-License-Identifier: Apache-2.0
#include "worker/main/connection_room.h"

#include <spdlog/spdlog.h>

#include <utility>

namespace grove {

connection_room::connection_room(shared_segment& segment, std::uint32_t slot, std::uint32_t connections_max,
                                 const clock& time, spdlog::logger& log) noexcept
    : segment_{segment},
      slot_{slot},
      connections_max_{connections_max},
      time_{time},
      log_{log},
      lines_{1, std::chrono::seconds{10}} {}

bool connection_room::has_room(std::uint32_t slot) const noexcept {
  const worker_slot& other = segment_.slot(slot);
  return other.state.load(std::memory_order_acquire) == worker_state::up &&
         other.metrics[metric::connections].get() < connections_max_ &&
         other.metrics[metric::out_of_descriptors].get() == 0;
}

bool connection_room::others_have_room() const noexcept {
  for (std::uint32_t slot = 0; slot < segment_.workers(); ++slot) {
    if (slot != slot_ && has_room(slot)) return true;
  }
  return false;
}

void connection_room::ran_short(int error) {
  metrics()[metric::accepts_failed].add();
  metrics()[metric::out_of_descriptors].set(1);
  if (!lines_.admits(time_.now())) return;
  told_ = true;
  log_.warn("no connection can be accepted: {}; it is left to the other workers, or refused if none has room{}",
            shortage_text(error), lines_.take_kept_quiet());
}

void connection_room::look_again() {
  if (metrics()[metric::out_of_descriptors].get() == 0 || !reserve_.has_spare()) return;
  metrics()[metric::out_of_descriptors].set(0);
  if (std::exchange(told_, false)) log_.info("connections can be accepted again");
}

std::string connection_room::refusal_text(int error) const {
  return "worker " + std::to_string(slot_) + " can serve no more connections: " + shortage_text(error);
}

}  // namespace grove
