// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/oracle.h"

#include <algorithm>

#include "base/random.h"

namespace grove::test {

void oracle::fail(std::string what) {
  if (failure_.empty()) failure_ = std::move(what);
}

oracle::request* oracle::find(std::uint64_t id) {
  const auto found = requests_.find(id);
  if (found != requests_.end()) return &found->second;
  fail("request " + std::to_string(id) + " was never made");
  return nullptr;
}

void oracle::planned(std::uint64_t id, kind what, std::string_view to) {
  requests_.emplace(id, request{.what = what, .to = std::string{to}, .was_sent = what != kind::tell});
}

bool oracle::has_started(std::uint64_t id) const {
  const auto found = requests_.find(id);
  return found != requests_.end() && found->second.started;
}

void oracle::note(char what, std::uint64_t id) noexcept {
  trace_ = random_source{trace_ ^ id ^ static_cast<std::uint64_t>(what) << 56U}.next();
}

bool oracle::is_of_ended_turn(std::uint64_t id) const {
  const auto found = requests_.find(id);
  return found != requests_.end() && found->second.is_of_ended_turn;
}

void oracle::started(std::uint64_t id) {
  note('s', id);
  request* const found = find(id);
  if (found == nullptr) return;
  if (found->started) fail("request " + std::to_string(id) + " is executed twice");
  if (!found->was_sent) fail("tell " + std::to_string(id) + " of a turn that did not return is executed");
  found->started = true;
  if (found->what == kind::tell) ++handled_tells_;
}

void oracle::finished(std::uint64_t id) {
  note('f', id);
  if (request* const found = find(id)) found->finished = true;
}

void oracle::sent(const std::vector<std::uint64_t>& tells, bool turn_has_returned) {
  for (const std::uint64_t each : tells) {
    request* const tell = find(each);
    if (tell == nullptr) continue;
    tell->was_sent = true;
    tell->is_of_ended_turn = turn_has_returned;
  }
  told_ += tells.size();
}

void oracle::came(std::uint64_t sender, std::string_view to, std::uint64_t number) {
  std::uint64_t& last = last_number_[{sender, std::string{to}}];
  if (number <= last) {
    fail(std::string{to} + " gets message " + std::to_string(number) + " of sender " + std::to_string(sender) +
         " after message " + std::to_string(last));
  }
  last = std::max(last, number);
}

void oracle::activated(std::string_view key, int pid, std::uint64_t changes) {
  note('a', static_cast<std::uint64_t>(pid));
  const auto found = seen_.find(key);
  if (found != seen_.end() && changes < found->second) {
    fail(std::string{key} + " is activated with change " + std::to_string(changes) + " where others have seen change " +
         std::to_string(found->second));
  }
  const auto [at, is_new] = active_in_.emplace(std::string{key}, pid);
  if (!is_new && at->second != pid) {
    fail(std::string{key} + " is active in process " + std::to_string(at->second) + " and in " + std::to_string(pid));
  }
}

void oracle::destroyed(std::string_view key, int pid) {
  const auto found = active_in_.find(key);
  if (found != active_in_.end() && found->second == pid) active_in_.erase(found);
}

void oracle::died(int pid) {
  std::erase_if(active_in_, [pid](const auto& entry) { return entry.second == pid; });
}

void oracle::seen(std::string_view key, std::uint64_t changes) {
  std::uint64_t& last = seen_.try_emplace(std::string{key}, 0).first->second;
  last = std::max(last, changes);
}

void oracle::ended(std::uint64_t id, status_code code, outcome result, bool one_way) {
  note('e', id << 8U | static_cast<std::uint64_t>(code));
  request* const found = find(id);
  if (found == nullptr) return;
  const std::string what = "request " + std::to_string(id);
  if (found->ended) fail(what + " is answered twice");
  found->ended = true;
  if (result == outcome::unspecified) fail(what + " is answered without an outcome");
  if (result == outcome::not_executed && found->started)
    fail(what + " is answered as not executed, and was: " + std::string{to_string(code)});
  if (result == outcome::executed && !found->started)
    fail(what + " is answered as executed, and was not: " + std::string{to_string(code)});
  if (code == status_code::ok && !one_way && !found->finished) fail(what + " is answered OK and has not finished");
}

}  // namespace grove::test
