// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "worker/actor/actor_type.h"
#include "worker/actor/placement.h"
#include "worker/actor/remote.h"
#include "worker/actor/reply.h"

namespace grove::test {

/// Other workers, which own every actor unless a test says so, and answer when a test lets them. It stands for the mesh.
/// Lifetime: the runtime is borrowed.
class far_workers : public remote, public placement {
 public:
  explicit far_workers(message_receiver& refuses) noexcept : refuses_{refuses} {}

  [[nodiscard]] address_owner of(std::uint64_t hash) const noexcept override {
    const auto owner = owners.find(hash);
    return {0, owner == owners.end() ? 1U : owner->second, 1};
  }

  [[nodiscard]] send_readiness readiness(std::uint32_t slot, const message&) override {
    if (gone.contains(slot)) return send_readiness::refused;
    return space.contains(slot) && space[slot] == 0 ? send_readiness::no_space : send_readiness::ready;
  }

  void send(std::uint32_t slot, message_ptr call) override {
    if (gone.contains(slot)) return refuses_.refuse(std::move(call), {status_code::unavailable, "it has gone"});
    if (space.contains(slot) && --space[slot] < 0) {
      space[slot] = 0;
      return refuses_.refuse(std::move(call), {status_code::resource_exhausted, "the ring is full"});
    }
    keys.emplace_back(call->key());
    if (!call->wants_reply()) return;
    call->state = message_state::remote;
    call->remote_call = 1;
    calls.push_back(std::move(call));
  }

  void cancel(message&) override { ++cancels; }

  /// Ends the oldest call.
  void answer(status_code code = status_code::ok) {
    const message_ptr call = std::move(calls.front());
    calls.erase(calls.begin());
    if (call->origin != nullptr)
      call->origin->finish(*call, {.code = code, .result = outcome::unknown, .text = {}, .payload = {}});
  }
  void answer_all() {
    while (!calls.empty())
      answer();
  }

  /// Gives an actor to the worker of `slot`.
  void place(std::string_view type, std::string_view key, std::uint32_t slot) {
    owners[hash_of_address(hash_of_name(type), key)] = slot;
  }

  std::map<std::uint64_t, std::uint32_t> owners;  ///< By the hash of the address; of others worker 1 is.
  std::map<std::uint32_t, int> space;  ///< For how many messages, by slot; without end where nothing is said.
  std::set<std::uint32_t> gone;        ///< Workers that have died.
  std::vector<message_ptr> calls;
  std::vector<std::string> keys;  ///< Of all that was sent.
  int cancels = 0;

 private:
  message_receiver& refuses_;
};

}  // namespace grove::test
