// SPDX-License-Identifier: Apache-2.0
#include "tests/support/simulated_store.h"

#include <algorithm>
#include <ranges>
#include <utility>

namespace grove::test {
namespace {

std::string address(std::string_view type, std::string_view key) {
  return std::string{type}.append("/").append(key);
}

}  // namespace

bool simulated_store::load(std::string_view type, std::string_view key, std::string& into) {
  const std::string wanted = address(type, key);
  for (const change& each : std::views::reverse(waiting_)) {
    if (each.address != wanted) continue;
    into = each.state;
    return true;
  }
  const auto found = disk_.find(wanted);
  if (found == disk_.end()) return false;
  into = found->second;
  return true;
}

ticket simulated_store::append(const state_change& made) {
  if (std::exchange(fails_, false)) {
    ++failed_;
    throw resource_exhausted{"the disk is full"};
  }
  std::string state = made.state.SerializeAsString();
  if (at_once_ && waiting_.empty()) {
    if (!dead_) disk_.insert_or_assign(address(made.type, made.key), std::move(state));
    return 0;  // As a store whose changes are all durable at once.
  }
  waiting_.push_back({++last_, address(made.type, made.key), std::move(state)});
  return last_;
}

void simulated_store::complete(std::size_t changes) {
  if (dead_ || waiting_.empty()) return;
  for (; changes > 0 && !waiting_.empty(); --changes) {
    change& oldest = waiting_.front();
    durable_ = oldest.at;
    disk_.insert_or_assign(std::move(oldest.address), std::move(oldest.state));
    waiting_.pop_front();
  }
  if (listener_ != nullptr) listener_->durable(durable_);
}

}  // namespace grove::test
