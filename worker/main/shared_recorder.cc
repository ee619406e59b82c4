// SPDX-License-Identifier: Apache-2.0
#include "worker/main/shared_recorder.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <string>

#include "base/text.h"
#include "worker/actor/actor_cell.h"
#include "worker/actor/message.h"

namespace grove {

void shared_recorder::write_names(const actor_types& types) {
  std::string names;
  for (std::size_t i = 0; i < types.size(); ++i) {
    names.append(types.at(i)->name());
    for (const actor_method& method : types.at(i)->methods())
      names.append("\t").append(method.name);
    names.append("\n");
  }
  slot_.names.write(names);
}

void shared_recorder::turn_begins(const actor_cell& cell, const message& call) {
  const auto now = std::chrono::nanoseconds{hub_.pass_time().time_since_epoch()}.count();
  // A worker whose turns go on does not hang, however long one pass of its loop takes.
  slot_.heartbeat.store(slot_.heartbeat.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  slot_.flight.running(now, cell.type().index(), call.method, cell.key(), cell.hash, call.origin_session,
                       call.origin_id);
}

void shared_recorder::turn_ended(bool failed) {
  slot_.metrics[metric::turns].add();
  if (failed) slot_.metrics[metric::failed_turns].add();
}

void shared_recorder::tell_lost(const message& tell, const status& why) {
  slot_.metrics[metric::tells_lost].add();
  if (!lost_tells_.admits(hub_.pass_time())) return;
  log_.warn("a tell is lost: {}/{} {}: {}{}", tell.type->name(), printable(tell.key()),
            tell.type->methods()[tell.method].name, printable(why.to_string()), lost_tells_.take_kept_quiet());
}

void shared_recorder::activated() {
  slot_.metrics[metric::activations].add();
  slot_.metrics[metric::actors].add();
}

void shared_recorder::passivated() {
  slot_.metrics[metric::passivations].add();
  slot_.metrics[metric::actors].subtract();
}

}  // namespace grove
