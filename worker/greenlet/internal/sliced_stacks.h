// SPDX-License-Identifier: Apache-2.0
#pragma once

// Stacks that many greenlets share, as in Python's greenlet: a suspended one keeps on the heap only the bytes that it
// has in use, and gets them back at the same addresses before it runs again.
//
// - A region is a pooled stack on which one greenlet at a time, its occupant, has its bytes. A greenlet keeps its
//   region for life, because its frames point into it.
// - Copying is lazy: the bytes of a suspended occupant leave the region when another greenlet needs it, and not before.
// - Nobody can copy bytes over the frames that it runs on. A switch between two greenlets of one region goes by way of
//   the mover, a context with a stack of its own.
// - With checks on, the bytes leave at every switch and the region can't be touched while no occupant runs: a pointer
//   into a suspended greenlet's stack faults where it is used, instead of finding another's frames. Only the occupant of
//   the region itself can still go astray there.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "worker/greenlet/exchange.h"
#include "worker/greenlet/greenlet.h"
#include "worker/greenlet/stack.h"

namespace grove::greenlets::detail {

struct thread_state;

struct stack_region {
  stack bytes;
  greenlet* occupant = nullptr;
  bool sealed = false;  // nobody may touch it: checks are on, and no occupant runs
};

/// A sliced greenlet's region, and its bytes when they are not there.
class stack_slice {
 public:
  explicit stack_slice(stack_region& at) noexcept : region(at) {}

  void save(const std::byte* from, std::size_t bytes) noexcept;
  void restore() noexcept;
  /// Nothing has run yet.
  [[nodiscard]] bool empty() const noexcept { return used_ == 0; }

  stack_region& region;

 private:
  struct freed {
    void operator()(std::byte* room) const noexcept;
  };
  std::unique_ptr<std::byte, freed> room_;
  std::uint32_t used_ = 0;
  std::uint32_t capacity_ = 0;
};

/// What a thread has for its sliced greenlets.
class sliced_stacks {
 public:
  explicit sliced_stacks(thread_state& of) noexcept : thread_(of) {}
  sliced_stacks(const sliced_stacks&) = delete;
  sliced_stacks& operator=(const sliced_stacks&) = delete;
  ~sliced_stacks();

  /// A slice for a new greenlet; null if the pool gives no stack.
  [[nodiscard]] std::unique_ptr<stack_slice> make_slice();
  /// The context to exchange the running one for so that `next` runs: its own, or the mover's.
  [[nodiscard]] execution_context& way_to(greenlet& next) noexcept {
    return regions_.empty() ? next.context_ : way_by_region_to(next);
  }
  /// `gone` will never run again.
  static void forget(greenlet& gone) noexcept;
  /// True if switches that leave `running` must not take the fast path.
  [[nodiscard]] bool watches(const greenlet& running) const noexcept { return checked_ && running.slice_ != nullptr; }
  void set_checked(bool checked) noexcept;

 private:
  [[nodiscard]] execution_context& way_by_region_to(greenlet& next) noexcept;
  [[noreturn]] static void move_for_ever(void* left);
  void bring_in(greenlet& next) noexcept;
  void evict(stack_region& from) noexcept;

  thread_state& thread_;
  std::vector<std::unique_ptr<stack_region>> regions_;
  std::size_t slices_made_ = 0;
#ifdef NDEBUG
  bool checked_ = false;
#else
  bool checked_ = true;
#endif
  stack mover_stack_;
  execution_context mover_;
  greenlet* moving_ = nullptr;
};

}  // namespace grove::greenlets::detail
