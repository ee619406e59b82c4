// SPDX-License-Identifier: Apache-2.0

// Who a task is among the tasks of its hub: numbers, who spawned it, what its tree shares.

#include <algorithm>
#include <functional>
#include <string>

#include "base/check.h"
#include "base/fatal.h"
#include "worker/tasks/internal/spawn_state.h"
#include "worker/tasks/local.h"
#include "worker/tasks/task.h"

namespace grove {

using tasks::detail::spawn_state;
using tasks::detail::spawn_tree;

std::size_t spawn_state::take_ident() {
  if (free_idents_.empty()) {
    free_idents_.reserve(idents_ever_ + 1);  // giving back must not fail
    return idents_ever_++;
  }
  std::pop_heap(free_idents_.begin(), free_idents_.end(), std::greater<>());
  const std::size_t least = free_idents_.back();
  free_idents_.pop_back();
  return least;
}

void spawn_state::give_back(std::size_t ident) noexcept {
  GROVE_CHECK(free_idents_.size() < idents_ever_, "a task gives the ident of another one back");
  free_idents_.push_back(ident);
  std::push_heap(free_idents_.begin(), free_idents_.end(), std::greater<>());
}

std::size_t task_base::ident() {
  if (ident_ == 0) {
    auto& spawns = hub_.service<spawn_state>();
    ident_ = static_cast<std::uint32_t>(spawns.take_ident() + 1);
    if (ready()) spawns.give_back(ident_ - 1U);
  }
  return ident_ - 1U;
}

std::string task_base::label() {
  return name_.empty() ? "greenlet-" + std::to_string(ident()) : std::string(name_);
}

task_base* task_base::spawner() const noexcept {
  hub_task* at = spawner_number_ == 0 ? nullptr : newest(hub_);
  while (at != nullptr && at->number() != spawner_number_)
    at = static_cast<task_base*>(at)->older();
  return static_cast<task_base*>(at);
}

std::vector<task_ptr> task_base::all(const hub& of) {
  std::vector<task_ptr> found;
  found.reserve(of.live_tasks());
  for (auto* at = static_cast<task_base*>(newest(of)); at != nullptr; at = static_cast<task_base*>(at->older()))
    found.emplace_back(at);
  std::reverse(found.begin(), found.end());
  return found;
}

std::uint64_t task_base::add_spawn_callback(hub& of, link_function call) {
  return of.service<spawn_state>().add_callback(std::move(call));
}

void task_base::remove_spawn_callback(hub& of, std::uint64_t number) noexcept {
  of.service<spawn_state>().remove_callback(number);
}

std::uint64_t spawn_state::add_callback(task_base::link_function call) {
  callbacks_.push_back({++callbacks_ever_, std::make_shared<callback>(std::move(call))});
  hub_.observe_tasks(this);
  return callbacks_ever_;
}

void spawn_state::remove_callback(std::uint64_t number) noexcept {
  std::erase_if(callbacks_, [number](const numbered& at) { return at.number == number; });
  if (callbacks_.empty()) hub_.observe_tasks(nullptr);
}

void spawn_state::started(hub_task& task) noexcept {
  for (std::size_t i = 0; i < callbacks_.size(); ++i) {
    const std::shared_ptr<callback> call = callbacks_[i].call;  // it may remove itself
    try {
      (*call)(static_cast<task_base&>(task));
    } catch (...) {
      hub_.report("a spawn callback", caught_error());
    }
  }
}

tasks::detail::local_values* task_base::tree_values(bool make) {
  if (tree_ == nullptr && make) tree_ = new spawn_tree;
  return tree_ == nullptr ? nullptr : &tree_->values;
}

void task_base::adopt_tree(task_base& spawner) {
  (void)spawner.tree_values(true);
  tree_ = spawner.tree_;
  ++tree_->members;
}

void task_base::leave_tree() noexcept {
  spawn_tree* left = std::exchange(tree_, nullptr);
  if (left != nullptr && --left->members == 0) delete left;
}

}  // namespace grove
