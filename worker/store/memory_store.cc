// SPDX-License-Identifier: Apache-2.0
#include "worker/store/memory_store.h"

#include <utility>

namespace grove {
namespace {

std::string address(std::string_view type, std::string_view key) {
  return std::string{type}.append("/").append(key);
}

}  // namespace

bool memory_store::load(std::string_view type, std::string_view key, std::string& into) {
  const auto found = states_.find(address(type, key));
  if (found == states_.end()) return false;
  into = found->second;
  return true;
}

void memory_store::passivated(const state_change& last) {
  std::string encoded = last.state.SerializeAsString();
  // What has every field at its default is what an actor begins with.
  if (encoded.empty()) {
    states_.erase(address(last.type, last.key));
  } else {
    states_.insert_or_assign(address(last.type, last.key), std::move(encoded));
  }
}

}  // namespace grove
