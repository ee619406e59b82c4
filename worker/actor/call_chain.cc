// SPDX-License-Identifier: Apache-2.0
#include "worker/actor/call_chain.h"

#include "worker/actor/actor_cell.h"
#include "worker/actor/text_pairs.h"

namespace grove {

bool chain_contains(std::string_view chain, const actor_cell& cell) noexcept {
  while (const auto waits = take_text_pair(chain)) {
    if (waits->second == cell.key() && waits->first == cell.type().name()) return true;
  }
  return false;
}

std::string cycle_text(std::string_view chain, const actor_cell& cell) {
  std::string text{"call cycle: "};
  while (const auto waits = take_text_pair(chain))
    text.append(waits->first).append("/").append(waits->second).append(" -> ");
  return text.append(cell.address_text()).append("; a method with interleave may be called while its actor waits");
}

}  // namespace grove
