// SPDX-License-Identifier: Apache-2.0
#include "tests/support/delayed_store.h"

namespace grove::test {
namespace {

std::string address(std::string_view type, std::string_view key) {
  return std::string{type}.append("/").append(key);
}

}  // namespace

bool delayed_store::load(std::string_view type, std::string_view key, std::string& into) {
  const auto found = states_.find(address(type, key));
  if (found == states_.end()) return false;
  into = found->second;
  return true;
}

ticket delayed_store::append(const state_change& change) {
  if (until_failure_ > 0 && --until_failure_ == 0) throw resource_exhausted{"the disk is full"};
  states_.insert_or_assign(address(change.type, change.key), change.state.SerializeAsString());
  return ++last_;
}

void delayed_store::complete(ticket up_to) {
  durable_ = up_to;
  if (listener_ != nullptr) listener_->durable(up_to);
}

}  // namespace grove::test
