// SPDX-License-Identifier: Apache-2.0
#include "worker/tasks/task_links.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace grove::tasks::detail {

std::uint64_t task_links::add(link added) {
  if (links_.size() == links_.capacity()) make_room();
  added.number = ++ever_;
  links_.push_back(std::move(added));
  return ever_;
}

void task_links::make_room() {
  const std::size_t before = links_.size();
  std::erase_if(links_, [](const link& at) { return !at.call; });
  // Twice as much unless a fourth was holes: otherwise the next few would look for holes again, each through all.
  if (links_.size() > before - before / 4) links_.reserve(std::max<std::size_t>(1, 2 * before));
}

void task_links::remove(std::uint64_t number) noexcept {
  const auto found = std::ranges::lower_bound(links_, number, {}, &link::number);
  if (found == links_.end() || found->number != number) return;
  const link_function gone = std::move(found->call);
}

std::optional<task_links::link> task_links::take_after(std::uint64_t number, kind of) noexcept {
  auto at = std::ranges::upper_bound(links_, number, {}, &link::number);
  while (at != links_.end() && (!at->call || (of == kind::without_watches && at->is_watch)))
    ++at;
  if (at == links_.end()) return std::nullopt;
  return std::move(*at);
}

void task_links::trim() noexcept {
  if (std::ranges::none_of(links_, [](const link& at) { return static_cast<bool>(at.call); }))
    std::vector<link>().swap(links_);
}

}  // namespace grove::tasks::detail
