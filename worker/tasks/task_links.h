// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "worker/greenlet/callback_function.h"

namespace grove {

class task_base;
/// Which ends a link is for: `value` is every successful() one.
enum class link_on : std::uint8_t { any, value, exception };
/// Where a link is called: in the hub's context, or in a greenlet of its own, where it may wait.
enum class link_in : std::uint8_t { hub, greenlet };

namespace tasks::detail {

/// What is to be called at the end of a task, in the order of linking.
///
/// - Adding, removing and taking cost at most a binary search, however many there are: one that is taken leaves a hole,
///   and holes are closed when there is no more room. So who goes through the links remembers a number, not a place.
/// - A callable is destroyed when the list is in order again: its destructor, as its call, may link and unlink.
class task_links {
 public:
  using link_function = callback_function<void(task_base&)>;
  struct link {
    std::uint64_t number;
    link_function call;  // empty: a hole
    link_on when;
    link_in where;
    bool is_watch = false;
  };
  enum class kind : std::uint8_t { all, without_watches };

  /// Returns its number, which no other link of the task has ever had, and which grows.
  std::uint64_t add(link added);
  void remove(std::uint64_t number) noexcept;
  /// Takes the first link with a greater number out; none if there is none.
  [[nodiscard]] std::optional<link> take_after(std::uint64_t number, kind of = kind::all) noexcept;
  /// The number of the last one that was added.
  [[nodiscard]] std::uint64_t last() const noexcept { return ever_; }
  /// Gives the memory back if there are no links.
  void trim() noexcept;

 private:
  void make_room();

  std::vector<link> links_;  // by number
  std::uint64_t ever_ = 0;
};

}  // namespace tasks::detail
}  // namespace grove
