// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace grove {

/// Where the state of actors is while they are not active: the runtime loads it at activation and saves it at
/// passivation. `worker/store` has the implementations.
/// Affinity: the worker's hub thread. Its functions may switch.
class state_store {
 public:
  state_store() = default;
  state_store(const state_store&) = delete;
  state_store& operator=(const state_store&) = delete;
  virtual ~state_store() = default;

  /// The encoded state that was saved last for this address; false: none was.
  [[nodiscard]] virtual bool load(std::string_view type, std::string_view key, std::string& into) = 0;

  /// Replaces the saved state; an empty one removes it.
  virtual void save(std::string_view type, std::string_view key, std::string_view encoded) = 0;
};

}  // namespace grove
