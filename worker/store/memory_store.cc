// SPDX-License-Identifier: Apache-2.0
#include "worker/store/memory_store.h"

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

void memory_store::save(std::string_view type, std::string_view key, std::string_view encoded) {
  if (encoded.empty()) {
    states_.erase(address(type, key));
  } else {
    states_.insert_or_assign(address(type, key), std::string{encoded});
  }
}

}  // namespace grove
