// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the greenlets of a hub are doing, as text for a person: gevent's print_run_info() and GreenletTree.

#include <cstdio>
#include <string>

#include "worker/greenlet/overflow_report.h"

namespace grove {

class hub;
class greenlet;

struct run_info_options {
  bool stacks = true;              ///< of those that are suspended
  overflow_label label = nullptr;  ///< says what runs in a greenlet: its actor
};

/// All greenlets of the hub's thread, as the tree of parents, and the tasks that have not started. One line each:
/// address, name, state, what it waits for, what the label says; the stack follows.
/// Affinity: the hub's thread.
[[nodiscard]] std::string run_info(hub& of, const run_info_options& options = {});
void print_run_info(hub& of, const run_info_options& options = {}, std::FILE* to = stderr);

/// One greenlet's line.
[[nodiscard]] std::string greenlet_line(const hub& of, const greenlet& at, overflow_label label = nullptr);

/// The hub's counters, a line each.
[[nodiscard]] std::string hub_counters(const hub& of);

}  // namespace grove
