// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <functional>
#include <string>
#include <string_view>

#include "worker/actor/state_store.h"

namespace grove {

/// Keeps the state of passivated actors in the worker's memory: it is lost with the worker. Until then an actor's own
/// memory is the store, so that a change costs nothing and is durable at once, for what that means here.
class memory_store final : public state_store {
 public:
  [[nodiscard]] bool load(std::string_view type, std::string_view key, std::string& into) override;
  [[nodiscard]] ticket append(const state_change&) override { return 0; }
  void passivated(const state_change& last) override;
  [[nodiscard]] ticket durable() const noexcept override { return 0; }
  void set_listener(store_listener*) noexcept override {}  // Nothing ever becomes durable later.

  [[nodiscard]] std::size_t size() const noexcept { return states_.size(); }

 private:
  boost::unordered_flat_map<std::string, std::string> states_;  // By "type/key".
};

}  // namespace grove
