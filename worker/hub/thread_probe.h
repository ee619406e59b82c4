// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pthread.h>

#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "base/fd.h"

namespace grove {

/// What the kernel has counted of a thread since its begin, and what it does.
struct thread_usage {
  steady_duration ran{};  ///< On a processor.
  steady_duration
      queued{};  ///< Ready, and without a processor; what lasts is not in it yet. 0 if the kernel does not say.
  std::uint64_t blocked = 0;  ///< Times that it gave its processor away, to wait for something.
  bool runnable = false;      ///< It runs or is ready to; false: it waits for something.
};

/// How much of `elapsed`, between two looks at a thread, it was ready to run while the kernel ran somebody else.
[[nodiscard]] steady_duration unscheduled(const thread_usage& before, const thread_usage& now,
                                          steady_duration elapsed) noexcept;

/// Looks from another thread at the thread that made it: a turn that holds a thread looks from outside just like a thread
/// that gets no processor.
class thread_probe {
 public:
  /// Affinity: the thread that will be looked at.
  thread_probe();
  thread_probe(const thread_probe&) = delete;
  thread_probe& operator=(const thread_probe&) = delete;

  /// Whether it sits in the poll of an event loop.
  /// Affinity: one thread at a time, any, as everything below.
  [[nodiscard]] bool is_polling();

  /// How long it was ready and got no processor since the last call. 0 where the kernel does not tell.
  [[nodiscard]] steady_duration take_unscheduled();

 private:
  [[nodiscard]] std::optional<steady_duration> time_used() const noexcept;
  [[nodiscard]] std::optional<thread_usage> usage() const;
  [[nodiscard]] bool uses_no_time() noexcept;

  pthread_t thread_;
  unique_fd in_kernel_;
  unique_fd status_;
  unique_fd queue_;
  steady_time looked_at_{};
  std::optional<thread_usage> last_;
  steady_time polled_at_{};
  steady_duration used_{};
};

}  // namespace grove
