// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"

namespace grove {

/// Every metric that a worker keeps in shared memory, once: name (after "grove_"), kind, help. A name that
/// Prometheus would want to end in "_total" gets that ending where it is rendered.
// clang-format off
#define GROVE_WORKER_METRICS(X)                                                                                 \
  X(requests,              counter, "Calls that clients sent")                                                  \
  X(responses_ok,          counter, "Calls of clients that were answered OK")                                   \
  X(errors_executed,       counter, "Calls of clients that ended with an error of the application's")           \
  X(errors_not_executed,   counter, "Calls of clients that were refused and did not run")                       \
  X(errors_unknown,        counter, "Calls of clients that ended without it being known whether they ran")      \
  X(turns,                 counter, "Messages handled by actors")                                               \
  X(failed_turns,          counter, "Turns that ended with an exception")                                       \
  X(activations,           counter, "Actors activated")                                                         \
  X(passivations,          counter, "Actors passivated")                                                        \
  X(mailbox_full,          counter, "Calls refused because a mailbox was full")                                 \
  X(tells_lost,            counter, "Tells that could not be delivered, or whose time was over before they ran, "  \
                                    "not those that a worker had read when it died")                            \
  X(deadline_expired,      counter, "Calls and tells dropped before they ran, because their deadline had passed") \
  X(turns_expired,         counter, "Turns interrupted because their call's deadline passed while they ran")    \
  X(connections_accepted,  counter, "Connections accepted")                                                     \
  X(handoffs_out,          counter, "Connections handed over to another worker")                                \
  X(handoffs_in,           counter, "Connections taken over from another worker")                               \
  X(handoffs_lost,         counter, "Connections from another worker that were lost for want of a descriptor")  \
  X(accepts_failed,        counter, "Connections not accepted at once for want of descriptors or memory")       \
  X(connections_refused,   counter, "Connections refused because the worker can serve no more of them")         \
  X(refusals,              counter, "Connections ended by a protocol error")                                    \
  X(bytes_in,              counter, "Bytes read from clients")                                                  \
  X(bytes_out,             counter, "Bytes written to clients")                                                 \
  X(mesh_sent,             counter, "Records sent to other workers")                                            \
  X(mesh_received,         counter, "Records received from other workers")                                      \
  X(mesh_full,             counter, "Calls that had to wait, and tells that were lost, because the ring to their "  \
                                    "worker was full")                                                          \
  X(mesh_faults,           counter, "Rings from other workers that were found corrupted and emptied")           \
  X(wakeups,               counter, "Sleeping workers woken up by a system call")                               \
  X(stalls,                counter, "Times that a turn held its worker for longer than stall-after")            \
  X(log_lines_dropped,     counter, "Lines of the worker's log that were dropped: nobody read it, or it could "     \
                                    "not be written")                                                           \
  X(unscheduled,           counter, "Times that a worker got no processor for longer than stall-after")             \
  X(actors,                gauge,   "Actors in memory")                                                         \
  X(connections,           gauge,   "Connections open")                                                         \
  X(mesh_pending,          gauge,   "Calls that wait for another worker's answer")                              \
  X(mesh_unsent,           gauge,   "Calls that wait for room in the ring to their worker")                     \
  X(mesh_overflow,         gauge,   "Answers to other workers that wait for room in a ring")                    \
  X(stacks_in_use,         gauge,   "Stacks of turns that wait or run")                                          \
  X(out_of_descriptors,    gauge,   "1 while the worker has no descriptor left for one more connection")
// clang-format on

enum class metric : std::size_t {
#define GROVE_X(name, kind, help) name,
  GROVE_WORKER_METRICS(GROVE_X)
#undef GROVE_X
};

enum class metric_kind : std::uint8_t { counter, gauge };

struct metric_info {
  std::string_view name;
  metric_kind kind;
  std::string_view help;
};

/// The table of them, at index `metric`.
inline constexpr std::array metric_table = {
#define GROVE_X(name, kind, help) metric_info{#name, metric_kind::kind, help},
    GROVE_WORKER_METRICS(GROVE_X)
#undef GROVE_X
};

/// A number with one writing thread, which others read: no locked instruction.
class shared_number {
 public:
  void add(std::uint64_t amount = 1) noexcept { set(get() + amount); }
  void subtract(std::uint64_t amount = 1) noexcept {
    GROVE_DEBUG_CHECK(amount <= get(), "a metric falls below zero");
    set(get() - amount);
  }
  void set(std::uint64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }

  /// Affinity: any thread of any process.
  [[nodiscard]] std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_;
};

/// `slot.metrics[metric::turns].add()`. Affinity of the writing functions: the worker's hub thread; of
/// `stalls` and `unscheduled`, that of its monitor.
class worker_metrics {
 public:
  [[nodiscard]] shared_number& operator[](metric which) noexcept { return values_[static_cast<std::size_t>(which)]; }
  [[nodiscard]] const shared_number& operator[](metric which) const noexcept {
    return values_[static_cast<std::size_t>(which)];
  }

  /// What was true of a slot's last process is not of its next: for a worker at its start. Counters go on.
  void reset_gauges() noexcept {
    for (std::size_t i = 0; i < values_.size(); ++i) {
      if (metric_table[i].kind == metric_kind::gauge) values_[i].set(0);
    }
  }

 private:
  std::array<shared_number, metric_table.size()> values_;
};

}  // namespace grove
