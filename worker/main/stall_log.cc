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
  const bool held = event.why == stall_event::cause::held;
  kind& of = held ? held_ : unscheduled_;
  if (event.at == stall_event::stage::began) {
    of.count.add();
    of.quiet = !of.lines.admits(time_.now());
  }
  if (of.quiet) return;
  held ? write_held(event) : write_unscheduled(event);
}

void stall_log::write_held(const stall_event& event) {
  const bool ended = event.at == stall_event::stage::ended;
  std::string text = fmt::format("{} {} ms", ended ? "stall ended after" : "stalled for", milliseconds(event.lasted));
  if (milliseconds(event.unscheduled) > 0)
    text += fmt::format(" ({} of them without a processor)", milliseconds(event.unscheduled));
  if (!ended) {
    if (!event.label.empty()) text += fmt::format(": a turn of {}", event.label);
    if (!event.greenlet.empty()) text += fmt::format(" in greenlet '{}'", event.greenlet);
    text += held_.lines.take_kept_quiet();
    text += event.stack.empty() ? "; its stack could not be taken"
                                : fmt::format("; stack: {}", fmt::join(event.stack, " < "));
  }
  log_.warn("{}", text);
}

void stall_log::write_unscheduled(const stall_event& event) {
  const long long without = milliseconds(event.unscheduled);
  const long long lasted = milliseconds(event.lasted);
  std::string text = fmt::format("was not given the processor for {} ms", without);
  if (lasted > without) text += fmt::format(" of the last {}", lasted);
  if (event.at == stall_event::stage::ended)
    text += ", and goes on";
  else
    text += "; the machine ran something else" + unscheduled_.lines.take_kept_quiet();
  log_.warn("{}", text);
}

}  // namespace grove
