// SPDX-License-Identifier: Apache-2.0
#include "worker/greenlet/context.h"

#include <algorithm>
#include <vector>

#include "base/check.h"
#include "worker/greenlet/internal/thread_state.h"

namespace grove {

namespace greenlets::detail {

struct context_values {
  std::atomic<std::uint32_t> handles{1};
  std::vector<std::pair<std::uint64_t, std::shared_ptr<const void>>> values;  // few: found one after another
};

std::uint64_t new_context_key() noexcept {
  static std::atomic<std::uint64_t> keys{0};
  return keys.fetch_add(1, std::memory_order_relaxed);
}

void hold_context(context_values* values) noexcept {
  if (values != nullptr) values->handles.fetch_add(1, std::memory_order_relaxed);
}

void drop_context(context_values* values) noexcept {
  if (values == nullptr) return;
  const std::uint32_t handles = values->handles.fetch_sub(1, std::memory_order_acq_rel);
  GROVE_DEBUG_CHECK(handles > 0, "a context is dropped once more than it was taken");
  if (handles == 1) delete values;
}

const void* find_context_value(std::uint64_t key) {
  const context_values* of = switching::context_slot(*enter_thread().current);
  if (of == nullptr) return nullptr;
  const auto found = std::ranges::find(of->values, key, [](const auto& entry) { return entry.first; });
  return found == of->values.end() ? nullptr : found->second.get();
}

void set_context_value(std::uint64_t key, std::shared_ptr<const void> value) {
  context_values*& of = switching::context_slot(*enter_thread().current);
  if (of == nullptr) of = new context_values();
  const auto found = std::ranges::find(of->values, key, [](const auto& entry) { return entry.first; });
  if (found != of->values.end()) {
    found->second.swap(value);  // the old one goes last: its destructor may do anything
  } else if (value != nullptr) {
    of->values.emplace_back(key, std::move(value));
  }
}

}  // namespace greenlets::detail

context context::make() {
  return context(new greenlets::detail::context_values());
}

context context::copy() const {
  context made;
  if (values_ != nullptr) {
    made = make();
    made.values_->values = values_->values;
  }
  return made;
}

context context_of(const greenlet& of) {
  greenlets::detail::switching::check_owner(of);
  // A greenlet keeps its context as a bare pointer, so that greenlet.h does without this header.
  context found(greenlets::detail::switching::context_slot(const_cast<greenlet&>(of)));
  greenlets::detail::hold_context(found.values_);
  return found;
}

void set_context(greenlet& of, context values) {
  greenlets::detail::switching::check_owner(of);
  std::swap(greenlets::detail::switching::context_slot(of), values.values_);
}

}  // namespace grove
