// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <functional>
#include <string>
#include <string_view>

#include "worker/actor/state_store.h"

namespace grove {

/// Keeps the state of passivated actors in the worker's memory: it is lost with the worker.
class memory_store final : public state_store {
 public:
  [[nodiscard]] bool load(std::string_view type, std::string_view key, std::string& into) override;
  void save(std::string_view type, std::string_view key, std::string_view encoded) override;

  [[nodiscard]] std::size_t size() const noexcept { return states_.size(); }

 private:
  boost::unordered_flat_map<std::string, std::string> states_;  // By "type/key".
};

}  // namespace grove
