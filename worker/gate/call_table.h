// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "worker/actor/reply.h"

namespace grove {

/// How many calls are unfinished, over all connections of a gate.
class call_count {
 public:
  void began() noexcept { ++unfinished_; }
  void ended();
  [[nodiscard]] std::size_t unfinished() const noexcept { return unfinished_; }

  /// Calls `done` once when none is unfinished: at once if none is.
  void when_none(std::function<void()> done);

 private:
  std::size_t unfinished_ = 0;
  std::function<void()> done_;
};

/// The unfinished calls of a connection, those that were cancelled included until they are answered. It is a list through
/// the messages themselves, so that nothing is allocated; what looks through it is rare, and the limit unfinished-calls
/// bounds it.
///
/// Invariant: a call that is in the table has an origin, and one that has left it has none. So no answer is ever sent to a
/// connection that has gone.
class call_table {
 public:
  /// `connection` is a number that no other connection of this worker has: crash reports say it.
  /// Lifetime: `count` is borrowed.
  call_table(call_count& count, std::uint64_t connection) noexcept : count_{count}, connection_{connection} {}
  call_table(const call_table&) = delete;
  call_table& operator=(const call_table&) = delete;
  /// It must be empty.
  ~call_table();

  /// `origin` is told how the call ends. `id` is the client's, which may have it twice.
  void begin(message& call, std::uint64_t id, reply_sink& origin) noexcept;

  /// The latest with this id; null if there is none, any more.
  [[nodiscard]] message* find(std::uint64_t id) const noexcept;

  /// Takes a call out that has been answered, or of which nobody wants to hear any more.
  void end(message& call);

  /// Takes one out, whichever it is; null when there is none left.
  [[nodiscard]] message* detach_one();

  /// The ids of those that last until somebody ends them.
  [[nodiscard]] std::vector<std::uint64_t> streams() const;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// See gate::check_invariants().
  void check_invariants() const;

 private:
  call_count& count_;
  message* first_ = nullptr;
  std::uint32_t size_ = 0;
  std::uint64_t connection_;
};

/// Whether a call is of a method that streams.
[[nodiscard]] bool is_stream(const message& call);

}  // namespace grove
