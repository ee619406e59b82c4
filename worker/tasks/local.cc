// SPDX-License-Identifier: Apache-2.0
#include "worker/tasks/local.h"

#include "worker/greenlet/greenlet.h"
#include "worker/tasks/task.h"

namespace grove::tasks::detail {

local_value::local_value(local_values& holder, local_base& variable) noexcept
    : holder_(holder), variable_(variable), next_in_holder_(holder.first_), next_in_variable_(variable.first_) {
  if (next_in_holder_ != nullptr) next_in_holder_->previous_in_holder_ = this;
  if (next_in_variable_ != nullptr) next_in_variable_->previous_in_variable_ = this;
  holder.first_ = variable.first_ = this;
}

void local_value::unlink() noexcept {
  if (!std::exchange(linked_, false)) return;
  (previous_in_holder_ == nullptr ? holder_.first_ : previous_in_holder_->next_in_holder_) = next_in_holder_;
  if (next_in_holder_ != nullptr) next_in_holder_->previous_in_holder_ = previous_in_holder_;
  (previous_in_variable_ == nullptr ? variable_.first_ : previous_in_variable_->next_in_variable_) = next_in_variable_;
  if (next_in_variable_ != nullptr) next_in_variable_->previous_in_variable_ = previous_in_variable_;
}

local_values::~local_values() {
  while (first_ != nullptr)
    first_->destroy();
}

local_base::~local_base() {
  while (first_ != nullptr)
    first_->destroy();
}

local_value* local_values::find(const local_base& variable) const noexcept {
  local_value* at = first_;
  while (at != nullptr && &at->variable_ != &variable)
    at = at->next_in_holder_;
  return at;
}

local_values* local_values::of_greenlet(bool make) {
  greenlet_locals& locals = greenlet::current().slots().locals;
  if (locals.values == nullptr && make) locals.values = std::make_unique<local_values>();
  return static_cast<local_values*>(locals.values.get());
}

local_values* local_values::of_tree(bool make) {
  task_base* const task = task_base::calling();
  return task != nullptr ? task->tree_values(make) : of_greenlet(make);
}

}  // namespace grove::tasks::detail
