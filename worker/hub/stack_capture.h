// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "worker/greenlet/overflow_report.h"

namespace grove {

/// What a thread was running when it was looked at.
struct seen_stack {
  std::string greenlet;       ///< The running greenlet's name.
  std::string label;          ///< What the label function says of it: the actor in it.
  bool ignored = false;       ///< It is in an ignore_stalls scope.
  std::vector<void*> frames;  ///< Innermost first; in a continulet's body those of whoever resumed it follow.
};

/// Looks at the stack of the thread that made it, from another thread, whatever it does: by SIGURG, which is ignored
/// by default, so that one that comes late harms nobody. A system call that the thread is blocked in goes on, or
/// returns EINTR where it cannot (signal(7)).
class stack_capture {
 public:
  static constexpr std::size_t frames_max = 64;
  static constexpr std::size_t text_bytes_max = 256;

  /// Affinity: the thread that will be looked at; it gets an alternate signal stack if it has none. Takes SIGURG for
  /// the process.
  /// Errors: std::system_error.
  explicit stack_capture(overflow_label label = nullptr);
  /// Affinity: the same thread.
  ~stack_capture();
  stack_capture(const stack_capture&) = delete;
  stack_capture& operator=(const stack_capture&) = delete;

  /// Takes the stack; nothing if the thread does not answer within `patience` (it is blocked in the kernel, or gets no
  /// processor).
  /// Affinity: one thread at a time, the thread itself included.
  [[nodiscard]] std::optional<seen_stack> take(steady_duration patience);

 private:
  struct request;
  std::unique_ptr<request> request_;
  std::unique_ptr<std::byte[]> signal_stack_;
  bool unanswered_ = false;
};

/// A line for each frame: function, offset, binary. Only what a program exports has a name; elsewhere addr2line knows
/// the offset.
/// Affinity: any thread; allocates.
[[nodiscard]] std::vector<std::string> describe_frames(const std::vector<void*>& frames);

}  // namespace grove
