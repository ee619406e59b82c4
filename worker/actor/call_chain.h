// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace grove {

struct actor_cell;

// The actors that wait for a call, outermost first: types and keys as worker/actor/text_pairs.h has them. Every nested call
// carries it, on to other workers too, so that a call cycle is found where it closes and not by a time-out.

/// Whether the actor of `cell` is among those that wait for the call with this chain.
[[nodiscard]] bool chain_contains(std::string_view chain, const actor_cell& cell) noexcept;

/// What is wrong with a call with this chain to the actor of `cell`, which is in it: "call cycle: A/a -> B/b -> A/a; ...".
[[nodiscard]] std::string cycle_text(std::string_view chain, const actor_cell& cell);

}  // namespace grove
