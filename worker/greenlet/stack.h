// SPDX-License-Identifier: Apache-2.0
#pragma once

// Stacks for greenlets. A stack is a piece of a slab: one mapping that holds many stacks of one size class, each with
// a guard page below it.
//
// - Pages are committed by their first use. Where the kernel has guard regions (MADV_GUARD_INSTALL) a slab stays one
//   mapping; elsewhere every guard page is made by mprotect and costs two.
// - What the pool knows of a free stack lies outside the stack, so a free stack can lose all its pages.
// - Stacks are reused last in, first out: the next greenlet gets the warmest one.
// - The number of stacks is bounded. An exhausted pool says so; it never grows beyond the bound.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace grove {

/// Of what kind the stack of a greenlet is. Small and large ones are its own. Sliced greenlets share a few large stacks:
/// a suspended one keeps on the heap what it has in use, a few hundred bytes, and pays for that with a copy when it runs
/// again. Nobody else may use an address in the stack of a sliced greenlet while it is suspended, see
/// set_sliced_stack_checks().
enum class stack_class : std::uint8_t { small, large, sliced };

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr std::size_t stack_growth_under_sanitizers = 8;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr std::size_t stack_growth_under_sanitizers = 8;
#else
inline constexpr std::size_t stack_growth_under_sanitizers = 1;
#endif
#else
inline constexpr std::size_t stack_growth_under_sanitizers = 1;
#endif

/// Usable bytes of a stack of each class.
inline constexpr std::size_t stack_bytes_small = 64 * 1024 * stack_growth_under_sanitizers;
inline constexpr std::size_t stack_bytes_large = 256 * 1024 * stack_growth_under_sanitizers;

/// What check_stack() insists on: room for what it throws, and for a handler.
inline constexpr std::size_t stack_low_mark = 8 * 1024 * stack_growth_under_sanitizers;

class stack_pool;

/// A borrowed stack; its destructor gives it back to the pool.
/// Lifetime: must not outlive its pool.
class stack {
 public:
  stack() noexcept = default;
  stack(stack&& other) noexcept
      : pool_(std::exchange(other.pool_, nullptr)), base_(other.base_), bytes_(other.bytes_), kind_(other.kind_) {}
  stack& operator=(stack&& other) noexcept;
  ~stack() { release(); }

  [[nodiscard]] explicit operator bool() const noexcept { return pool_ != nullptr; }
  /// The lowest usable byte; the guard page ends here.
  [[nodiscard]] std::byte* base() const noexcept { return base_; }
  [[nodiscard]] std::byte* end() const noexcept { return base_ + bytes_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  /// Where the first frame starts. Shifted from end() by one cache line more from each stack to the next one, so that
  /// the hot frames of many greenlets do not all fall into the same cache sets, and yet are at even distances, by which
  /// the processor fetches those that come next.
  [[nodiscard]] std::byte* top() const noexcept;
  [[nodiscard]] bool holds(const void* address) const noexcept {
    return pool_ != nullptr && address >= base_ && address < end();
  }
  /// True for an address in the guard page of this stack.
  /// Affinity: async-signal-safe.
  [[nodiscard]] bool guards(const void* address) const noexcept;

  void release() noexcept;

 private:
  friend class stack_pool;
  stack(stack_pool& pool, std::byte* base, std::size_t bytes, stack_class kind) noexcept
      : pool_(&pool), base_(base), bytes_(static_cast<std::uint32_t>(bytes)), kind_(kind) {}

  stack_pool* pool_ = nullptr;
  std::byte* base_ = nullptr;
  std::uint32_t bytes_ = 0;
  stack_class kind_ = stack_class::small;
};

struct stack_pool_options {
  std::size_t count_max = 16384;   ///< stacks of all classes that may be out at a time
  std::size_t warm_max = 256;      ///< free stacks of a class that trim() leaves some pages
  std::size_t warm_bytes = 16384;  ///< how much of each, so that one deep use does not keep memory for ever
  std::size_t trimmed_max = 512;   ///< free stacks that one trim() looks at, a few microseconds each
  bool use_guard_regions = true;   ///< false: guard pages by mprotect even where the kernel has guard regions
};

/// Affinity: one thread at a time.
class stack_pool {
 public:
  explicit stack_pool(stack_pool_options options = {});
  ~stack_pool();
  stack_pool(const stack_pool&) = delete;
  stack_pool& operator=(const stack_pool&) = delete;

  /// A stack, small or large, or nothing if count_max are out or the system gives no memory.
  [[nodiscard]] std::optional<stack> try_take(stack_class kind = stack_class::small);

  /// Gives pages of free stacks back to the system: all pages of cold ones, and what is deeper than warm_bytes of the
  /// warm_max that were used last. Measures on the way how deep stacks that were used since the last trim() have been.
  /// That is one or two system calls a stack, up to a hundred microseconds, so it looks at up to trimmed_max and leaves the
  /// rest to the next trim(). Returns the number of stacks that lost pages.
  std::size_t trim() noexcept;
  /// trim(), ended by the first stack after `at_most`.
  std::size_t trim(const clock& time, steady_duration at_most) noexcept;
  /// True if there are stacks that the last trim() left to the next one, or that were used since.
  [[nodiscard]] bool has_untrimmed() const noexcept { return has_untrimmed(small_) || has_untrimmed(large_); }

  [[nodiscard]] bool exhausted() const noexcept { return out_ >= options_.count_max; }
  /// Stacks that are out.
  [[nodiscard]] std::size_t in_use() const noexcept { return out_; }
  /// The most that were ever out at a time.
  [[nodiscard]] std::size_t in_use_max() const noexcept { return out_max_; }
  /// The most bytes that a stack of a class had in use, in whole pages, as far as trim() has seen.
  [[nodiscard]] std::size_t bytes_used_max(stack_class kind = stack_class::small) const noexcept {
    return (kind == stack_class::small ? small_ : large_).bytes_used_max;
  }
  [[nodiscard]] std::size_t count_max() const noexcept { return options_.count_max; }
  void set_count_max(std::size_t count) noexcept { options_.count_max = count; }
  /// True if guard pages are guard regions and a slab is one mapping.
  [[nodiscard]] bool guard_regions() const noexcept { return options_.use_guard_regions; }

 private:
  friend class stack;
  struct slab {
    std::byte* start;
    std::size_t bytes;
    std::vector<unsigned> valgrind_ids;  // empty unless under Valgrind
  };
  struct size_class {
    std::size_t stack_bytes;
    std::size_t slab_stacks;
    std::vector<std::byte*> free;  // bases; the last one is the warmest
    std::size_t trimmed = 0;       // the first `trimmed` of `free` have no pages
    std::size_t measured = 0;      // the first `measured` have not been used since a trim() looked at them
    std::size_t bytes_used_max = 0;
    std::vector<slab> slabs;
  };

  bool grow(size_class& wanted);
  bool guard(std::byte* page) noexcept;
  void give_back(stack& returned) noexcept;
  /// Bytes of a free stack from its deepest page in memory to its end.
  [[nodiscard]] std::size_t measure(const size_class& sized, std::byte* base) const noexcept;
  [[nodiscard]] std::size_t cold_of(const size_class& sized) const noexcept;
  [[nodiscard]] bool has_untrimmed(const size_class& sized) const noexcept;
  template <typename MayGoOn>
  std::size_t trim_while(MayGoOn may_go_on) noexcept;
  size_class& class_of(stack_class kind) noexcept { return kind == stack_class::small ? small_ : large_; }

  stack_pool_options options_;
  std::size_t guard_bytes_;
  std::size_t out_ = 0;
  std::size_t out_max_ = 0;
  size_class small_;
  size_class large_;
};

}  // namespace grove
