// SPDX-License-Identifier: Apache-2.0
#include "worker/actor/metadata.h"

#include "worker/actor/text_pairs.h"

namespace grove {

void append_call_metadata(std::string& to, std::string_view name, std::string_view value) {
  const std::size_t before = to.size();
  to.resize(before + text_pair_bytes(name, value));
  put_text_pair(to.data() + before, name, value);
}

std::optional<std::string_view> find_metadata(std::string_view entries, std::string_view name) noexcept {
  std::optional<std::string_view> found;
  while (const auto entry = take_text_pair(entries)) {
    if (entry->first == name) found = entry->second;
  }
  return found;
}

}  // namespace grove
