// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/process/shared_segment.h"
#include "worker/actor/actor_type.h"
#include "worker/actor/flight_recorder.h"
#include "worker/hub/hub.h"
#include "worker/main/line_limit.h"

namespace spdlog {
class logger;
}

namespace grove {

/// Records in shared memory, where the supervisor reads it when this worker hangs or has died.
class shared_recorder final : public flight_recorder {
 public:
  /// Lifetime: all are borrowed.
  shared_recorder(worker_slot& slot, const hub& on, spdlog::logger& log) noexcept : slot_{slot}, hub_{on}, log_{log} {}

  /// Writes the names of `types` down once, so that indexes in records can be read.
  void write_names(const actor_types& types);

  void turn_begins(const actor_cell& cell, const message& call) override;
  void nothing_runs() override { slot_.flight.idle(); }
  void turn_ended(bool failed) override;
  void activated() override;
  void passivated() override;
  void mailbox_was_full() override { slot_.metrics[metric::mailbox_full].add(); }
  void deadline_expired() override { slot_.metrics[metric::deadline_expired].add(); }
  void turn_expired() override { slot_.metrics[metric::turns_expired].add(); }
  /// Writes it to the log, too: at most ten lines a second.
  void tell_lost(const message& tell, const status& why) override;

 private:
  worker_slot& slot_;
  const hub& hub_;
  spdlog::logger& log_;
  line_limit lost_tells_;
};

}  // namespace grove
