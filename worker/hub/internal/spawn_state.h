// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "worker/hub/local.h"
#include "worker/hub/task_base.h"

namespace grove::hubs::detail {

/// What a hub knows of its tasks beside their list; made when it is first asked for.
class spawn_state final : public hub_service {
 public:
  explicit spawn_state(hub& on) noexcept : hub_(on) {}

  /// The least one that is free.
  [[nodiscard]] std::size_t take_ident();
  void give_back(std::size_t ident) noexcept;

  std::uint64_t add_callback(task_base::link_function call) {
    callbacks_.push_back({++callbacks_ever_, std::make_shared<callback>(std::move(call))});
    return callbacks_ever_;
  }
  /// True if there are any left.
  bool remove_callback(std::uint64_t number) noexcept {
    std::erase_if(callbacks_, [number](const numbered& at) { return at.number == number; });
    return !callbacks_.empty();
  }
  void spawned(task_base& started) noexcept;

 private:
  using callback = task_base::link_function;
  struct numbered {
    std::uint64_t number;
    std::shared_ptr<callback> call;
  };
  hub& hub_;
  std::size_t idents_ever_ = 0;
  std::vector<std::size_t> free_idents_;  // a heap, the least first
  std::vector<numbered> callbacks_;
  std::uint64_t callbacks_ever_ = 0;
};

/// What the greenlets share that descend from one that was spawned outside of all trees.
struct spawn_tree {
  std::size_t members = 1;
  local_values values;
};

}  // namespace grove::hubs::detail
