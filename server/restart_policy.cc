// SPDX-License-Identifier: Apache-2.0
#include "server/restart_policy.h"

#include <algorithm>

namespace grove::server {
namespace {

/// As many actors as may take turns in ending a worker and still be recognised.
constexpr std::size_t fatal_turns_max = 16;

void forget_before(std::deque<steady_time>& moments, steady_time oldest) {
  while (!moments.empty() && moments.front() < oldest)
    moments.pop_front();
}

}  // namespace

restart_decision restart_policy::after_exit(steady_time now, const process_life& life) {
  if (life.served && life.served_for >= limits_.healthy_after) {
    delay_ = {};
    fatal_turns_.clear();
  }
  restart_decision decision;
  if (life.served) {
    judge_served(now, life, decision);
  } else {
    failed_starts_.push_back(now);
    decision.why = restart_reason::failed_start;
    decision.delay = next_delay();
  }
  forget_before(failed_starts_, now - limits_.window);
  decision.failed_starts = static_cast<std::uint32_t>(failed_starts_.size());
  decision.crash_loop = !life.served && decision.failed_starts > limits_.max_restarts;
  return decision;
}

void restart_policy::judge_served(steady_time now, const process_life& life, restart_decision& decision) {
  deaths_.push_back(now);
  forget_before(deaths_, now - limits_.budget_window + steady_duration{1});
  decision.recent_deaths = static_cast<std::uint32_t>(deaths_.size());
  if (life.turn && was_fatal_before(*life.turn)) {
    decision.why = restart_reason::same_turn;
    decision.delay = next_delay();
  } else if (deaths_.size() > limits_.budget) {
    const steady_time room = deaths_[deaths_.size() - 1 - limits_.budget] + limits_.budget_window;
    decision.why = restart_reason::many_deaths;
    decision.delay =
        lengthened(std::min(std::chrono::ceil<std::chrono::milliseconds>(room - now), limits_.longest_delay));
  }
}

bool restart_policy::was_fatal_before(const fatal_turn& turn) {
  if (std::ranges::any_of(fatal_turns_, [&](const fatal_turn& before) { return before.is_same(turn); })) return true;
  if (fatal_turns_.size() == fatal_turns_max) fatal_turns_.pop_front();
  fatal_turns_.push_back(turn);
  return false;
}

std::chrono::milliseconds restart_policy::next_delay() {
  delay_ = std::min(delay_.count() == 0 ? limits_.first_delay : 2 * delay_, limits_.longest_delay);
  return lengthened(delay_);
}

std::chrono::milliseconds restart_policy::lengthened(std::chrono::milliseconds delay) {
  const auto fifth = static_cast<std::uint32_t>(delay.count() / 5);
  return delay + std::chrono::milliseconds{random_->below(fifth + 1)};
}

}  // namespace grove::server
