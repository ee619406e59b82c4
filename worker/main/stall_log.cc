// SPDX-License-Identifier: Apache-2.0
#include "worker/main/stall_log.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <string>

namespace grove {
namespace {

long long milliseconds(steady_duration lasted) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(lasted).count();
}

}  // namespace

void stall_log::write(const stall_event& event) {
  if (event.at == stall_event::stage::began) {
    count_.add();
    quiet_ = !lines_.admits(time_.now());
  }
  if (quiet_) return;
  if (event.at == stall_event::stage::ended)
    log_.warn("stall ended after {} ms", milliseconds(event.lasted));
  else
    write_stall(event);
}

void stall_log::write_stall(const stall_event& event) {
  std::string text = fmt::format("stalled for {} ms", milliseconds(event.lasted));
  if (!event.label.empty()) text += fmt::format(": a turn of {}", event.label);
  if (!event.greenlet.empty()) text += fmt::format(" in greenlet '{}'", event.greenlet);
  text += lines_.take_kept_quiet();
  text += event.stack.empty() ? "; its stack could not be taken"
                              : fmt::format("; stack: {}", fmt::join(event.stack, " < "));
  log_.warn("{}", text);
}

}  // namespace grove
