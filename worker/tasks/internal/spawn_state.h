// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "worker/tasks/local.h"
#include "worker/tasks/task_base.h"

namespace grove::tasks::detail {

/// What a hub knows of its tasks beside their list; made when it is first asked for.
class spawn_state final : public hub_service, private hub_task_observer {
 public:
  explicit spawn_state(hub& on) noexcept : hub_(on) {}
  ~spawn_state() override { hub_.observe_tasks(nullptr); }

  /// The least one that is free.
  [[nodiscard]] std::size_t take_ident();
  void give_back(std::size_t ident) noexcept;

  std::uint64_t add_callback(task_base::link_function call);
  void remove_callback(std::uint64_t number) noexcept;

 private:
  void started(hub_task& task) noexcept override;
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

}  // namespace grove::tasks::detail
