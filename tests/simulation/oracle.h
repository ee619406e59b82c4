// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/status.h"

namespace grove::test {

/// What is known of all that was asked for, by its id, and what may not be: told of each thing that happens, it finds the
/// first that breaks a promise of the server.
class oracle {
 public:
  enum class kind : std::uint8_t { act, look, watch, tell };

  /// A request of that id may be sent from now on.
  void planned(std::uint64_t id, kind what, std::string_view to);

  // What actors tell.
  void started(std::uint64_t id);
  /// Its handler returned.
  void finished(std::uint64_t id);
  /// What a turn told is sent from now on: it has returned, or a call to the same actor had to come behind it.
  void sent(const std::vector<std::uint64_t>& tells, bool turn_has_returned);
  /// A message from `sender` with that number is handled at `to`: those of one sender come in order.
  void came(std::uint64_t sender, std::string_view to, std::uint64_t number);
  /// An actor with this state was activated; by which process.
  void activated(std::string_view key, int pid, std::uint64_t changes);
  void destroyed(std::string_view key, int pid);
  /// Somebody else has learnt that the actor of `key` had got so far.
  void seen(std::string_view key, std::uint64_t changes);
  /// A process is gone: its actors are nowhere.
  void died(int pid);

  /// A call to `id` has ended with this: at a client, or in the turn that made it.
  void ended(std::uint64_t id, status_code code, outcome result, bool one_way);

  /// Whether it is a tell of a turn that has returned: what it shows of its sender is there for good.
  [[nodiscard]] bool is_of_ended_turn(std::uint64_t id) const;
  [[nodiscard]] bool has_started(std::uint64_t id) const;
  /// A hash of all that it was told, in its order.
  [[nodiscard]] std::uint64_t trace() const noexcept { return trace_; }
  /// Tells of turns that returned, and how many of them were handled.
  [[nodiscard]] std::uint64_t told() const noexcept { return told_; }
  [[nodiscard]] std::uint64_t handled_tells() const noexcept { return handled_tells_; }

  void fail(std::string what);
  [[nodiscard]] const std::string& failure() const noexcept { return failure_; }
  [[nodiscard]] bool failed() const noexcept { return !failure_.empty(); }

 private:
  struct request {
    kind what = kind::act;
    std::string to;
    bool started = false;
    bool finished = false;
    bool ended = false;
    bool was_sent = true;
    bool is_of_ended_turn = false;
  };

  [[nodiscard]] request* find(std::uint64_t id);
  void note(char what, std::uint64_t id) noexcept;

  std::unordered_map<std::uint64_t, request> requests_;
  std::map<std::string, std::uint64_t, std::less<>> seen_;
  std::map<std::string, int, std::less<>> active_in_;
  std::map<std::pair<std::uint64_t, std::string>, std::uint64_t> last_number_;
  std::uint64_t trace_ = 0;
  std::uint64_t told_ = 0;
  std::uint64_t handled_tells_ = 0;
  std::string failure_;
};

}  // namespace grove::test
