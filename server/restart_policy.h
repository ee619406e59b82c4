// SPDX-License-Identifier: Apache-2.0
#pragma once

// When the process of one slot is started again. A worker's death costs its callers what was under way; a wait before the
// restart costs those that come after, so it has to be worth something:
//
// | what ended                                            | restart                                             |
// |-------------------------------------------------------|-----------------------------------------------------|
// | a process that had served                             | at once                                             |
// | ... and `budget` others before it in `budget_window`  | when the first of them is that long ago             |
// | ... in a turn of an actor and method that ended one   | after `first_delay`, doubled each time, at most     |
// |     before                                            | `longest_delay`: the next one would end so too      |
// | a process that was not ready yet                      | likewise                                            |
// | a process that had served for `healthy_after`         | at once, and all that was before is forgotten       |
//
// Waits are lengthened by up to a fifth, at random, so that slots that died together do not start together for ever.

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/random.h"

namespace grove::server {

struct restart_limits {
  /// The intensity limit, in the words of OTP's supervisor: more than `max_restarts` failed starts of one slot within
  /// `window` are a crash loop.
  std::uint32_t max_restarts = 5;
  std::chrono::milliseconds window{60'000};
  /// Deaths of processes that served, after which the next one waits.
  std::uint32_t budget = 10;
  std::chrono::milliseconds budget_window{10'000};
  std::chrono::milliseconds first_delay{100};
  std::chrono::milliseconds longest_delay{5'000};
  std::chrono::milliseconds healthy_after{60'000};
};

/// The turn that a process was running when it died.
struct fatal_turn {
  std::uint64_t actor = 0;  ///< The hash of its type and key.
  std::string method;
  std::string text;  ///< For a person: "grove.Echo/x Spin".

  [[nodiscard]] bool is_same(const fatal_turn& other) const noexcept {
    return actor == other.actor && method == other.method;
  }
};

/// What a worker process had done when it died.
struct process_life {
  bool served = false;           ///< It had reported itself ready.
  steady_duration served_for{};  ///< From ready to death.
  std::optional<fatal_turn> turn{};
};

enum class restart_reason : std::uint8_t {
  served,        ///< At once.
  many_deaths,   ///< The budget is used up.
  same_turn,     ///< An earlier process died in the same actor and method.
  failed_start,  ///< It was not ready yet.
};

struct restart_decision {
  restart_reason why = restart_reason::served;
  std::chrono::milliseconds delay{};  ///< How long to wait before the successor is started.
  std::uint32_t recent_deaths = 0;    ///< Deaths of processes that served within the budget's window, with this one.
  std::uint32_t failed_starts = 0;    ///< Deaths before ready within the window, this one included.
  bool crash_loop = false;            ///< More of them than the limit allows.
};

/// Judges the deaths of one slot by the table above.
///
/// Only deaths before ready count against the limit: a worker that starts and is killed later, however often, is no
/// crash loop at start.
class restart_policy {
 public:
  /// Lifetime: `random` outlives the policy.
  restart_policy(const restart_limits& limits, random_source& random) noexcept : limits_{limits}, random_{&random} {}

  /// Judges a death.
  [[nodiscard]] restart_decision after_exit(steady_time now, const process_life& life);

 private:
  void judge_served(steady_time now, const process_life& life, restart_decision& decision);
  [[nodiscard]] bool was_fatal_before(const fatal_turn& turn);
  [[nodiscard]] std::chrono::milliseconds next_delay();
  [[nodiscard]] std::chrono::milliseconds lengthened(std::chrono::milliseconds delay);

  restart_limits limits_;
  random_source* random_;
  std::chrono::milliseconds delay_{};  ///< The last that was doubled, without chance.
  std::deque<steady_time> deaths_;     ///< Of processes that served.
  std::deque<steady_time> failed_starts_;
  std::deque<fatal_turn> fatal_turns_;  ///< Different ones, the oldest first.
};

}  // namespace grove::server
