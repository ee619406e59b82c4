// SPDX-License-Identifier: Apache-2.0
#include "worker/tasks/run_info.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/text.h"
#include "worker/greenlet/greenlet.h"
#include "worker/greenlet/stack_trace.h"
#include "worker/hub/hub.h"
#include "worker/hub/waiter.h"
#include "worker/tasks/task.h"

namespace grove {

namespace {

constexpr std::size_t label_bytes_max = 256;
constexpr std::size_t depth_max = 16;  // deeper ones are not indented further

std::string left_until(const hub& of, steady_time when) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(when - of.now()).count();
  return std::to_string(std::max<std::int64_t>(left, 0)) + " ms";
}

std::string state_of(const hub& of, const greenlet& at) {
  if (at.is_current()) return "runs";
  if (at.dead()) return "dead";
  if (at.slots().in_line) return "ready";
  const auto* const waits_in = static_cast<const waiter*>(at.slots().waiter);
  if (waits_in == nullptr) return at.started() ? "suspended" : "not started";
  if (waits_in->scheduled()) return "ready";
  std::string text = waits_in->in_list() ? "waits in line" : "waits";
  if (const std::optional<steady_time> until = waits_in->ends_at()) text += ", " + left_until(of, *until) + " left";
  return text;
}

std::string line_of_pending(const hub& of, const task_base& task) {
  std::string text = "(no greenlet)  '" + printable(task.name()) + "'  not started";
  if (const std::optional<steady_time> when = task.starts_at()) text += ", starts in " + left_until(of, *when);
  return text;
}

void add_stack(std::string& text, greenlet& at, const std::string& indent) {
  const std::string frames = stack_text(stack_trace(at));
  for (std::size_t begin = 0; begin < frames.size();) {
    const std::size_t end = frames.find('\n', begin);
    text += indent + "    " + frames.substr(begin, end - begin) + "\n";
    begin = end == std::string::npos ? frames.size() : end + 1;
  }
}

}  // namespace

std::string greenlet_line(const hub& of, const greenlet& at, overflow_label label) {
  std::array<char, 32> address{};
  std::snprintf(address.data(), address.size(), "%p", static_cast<const void*>(&at));
  std::string text = std::string(address.data()) + "  '" + printable(at.name()) + "'  " + state_of(of, at);
  if (label != nullptr) {
    std::array<char, label_bytes_max> room{};
    const std::size_t bytes = std::min(label(at, room.data(), room.size()), room.size());
    if (bytes > 0) text += "  " + std::string(room.data(), bytes);
  }
  return text;
}

std::string run_info(hub& of, const run_info_options& options) {
  const std::vector<greenlet_ptr> all = all_greenlets();
  std::unordered_map<const greenlet*, std::vector<greenlet*>> children;
  for (const greenlet_ptr& at : all)
    children[at->parent()].push_back(at.get());
  std::string text;
  // Not recursive: a chain of parents may be long. The oldest child comes first.
  std::vector<std::pair<greenlet*, std::size_t>> left;
  const auto descend = [&](const greenlet* parent, std::size_t depth) {
    for (greenlet* const child : children[parent])
      left.emplace_back(child, depth);
  };
  descend(nullptr, 0);
  while (!left.empty()) {
    const auto [at, depth] = left.back();
    left.pop_back();
    const std::string indent(2 * std::min(depth, depth_max), ' ');
    text += indent + greenlet_line(of, *at, options.label);
    text += at == &of.hub_greenlet() ? "  the hub\n" : "\n";
    if (options.stacks) add_stack(text, *at, indent);
    descend(at, depth + 1);
  }
  for (const task_ptr& task : task_base::all(of)) {
    if (task->running_greenlet() == nullptr) text += line_of_pending(of, *task) + "\n";
  }
  return text;
}

void print_run_info(hub& of, const run_info_options& options, std::FILE* to) {
  const std::string text = run_info(of, options);
  std::fwrite(text.data(), 1, text.size(), to);
}

std::string hub_counters(const hub& of) {
  std::string text;
  const auto add = [&text](std::string_view name, std::uint64_t value) {
    text += std::string(name) + " " + std::to_string(value) + "\n";
  };
  add("passes", of.passes());
  add("ready", of.ready_count());
  add("tasks", of.live_tasks());
  add("waiting", of.waiting());
  add("timers", of.armed_timers());
  add("stacks_in_use", thread_stacks().in_use());
  add("stacks_max", thread_stacks().count_max());
  return text;
}

}  // namespace grove
