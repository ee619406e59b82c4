// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

namespace grove {

/// Lines that were not written.
struct log_gap {
  std::uint64_t lines = 0;
  std::chrono::steady_clock::time_point since{};
  int error = 0;  ///< What the last write failed with; 0: the reader did not keep up.
};

/// Writes lines to a descriptor so that whoever logs never waits for whoever reads: from a thread of its own, unless the
/// kernel can write them at once.
///
/// What a write may wait for is not ours to say: a pipe that is full, a terminal that was stopped, a disk. Its
/// non-blocking flag belongs to the open file, which other processes share, and a poll before the write proves nothing
/// while others write as well. So a thread waits, at most `backlog_bytes_max` wait with it, and the lines beyond are
/// dropped and counted. When the reader goes on, a line tells, in their place, how many they were.
///
/// Lines of up to PIPE_BUF bytes arrive whole, also when several processes write to one pipe.
/// Affinity: any thread.
class line_writer {
 public:
  /// Makes the line that stands where lines are missing.
  using gap_line = std::function<std::string(const log_gap&)>;

  static constexpr std::size_t default_backlog_bytes = 256 * 1024;
  /// How long the end of a process waits for the last lines to be taken.
  static constexpr std::chrono::milliseconds farewell{500};

  /// Lifetime: `fd` is borrowed for this call; its open file stays in use. Errors: std::system_error when there can be no
  /// thread.
  line_writer(int fd, gap_line gap, std::size_t backlog_bytes_max = default_backlog_bytes);
  /// Waits up to `farewell` for what was accepted to be written. A thread that is held up longer is left behind.
  ~line_writer();
  line_writer(const line_writer&) = delete;
  line_writer& operator=(const line_writer&) = delete;

  /// Accepts a line, which ends with a newline, or drops it. Never waits for the reader.
  void write(std::string_view line) noexcept;

  /// Waits until all that was accepted before is written or lost; false when that takes longer than `patience`.
  /// Affinity: async-signal-safe.
  bool flush(std::chrono::milliseconds patience) const noexcept;

  /// How many lines were dropped, or could not be written, so far.
  [[nodiscard]] std::uint64_t dropped() const noexcept;

 private:
  struct shared;

  std::shared_ptr<shared> shared_;
  std::thread thread_;
};

}  // namespace grove
