// SPDX-License-Identifier: Apache-2.0
#include "worker/greenlet/stack.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <span>

#include "base/check.h"
#include "worker/greenlet/sanitizer.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

namespace grove {

namespace {
// Neighbouring stacks begin 0 .. 31 steps below their ends.
constexpr std::size_t colour_step = 64;
constexpr std::size_t colours = 32;
constexpr std::size_t slab_stacks_small = 64;
constexpr std::size_t slab_stacks_large = 16;
}  // namespace

stack& stack::operator=(stack&& other) noexcept {
  if (this != &other) {
    release();
    pool_ = std::exchange(other.pool_, nullptr);
    base_ = other.base_;
    bytes_ = other.bytes_;
    kind_ = other.kind_;
  }
  return *this;
}

std::byte* stack::top() const noexcept {
  GROVE_DEBUG_CHECK(pool_ != nullptr, "the top is asked for of a stack that has been given back");
  const auto index = reinterpret_cast<std::uintptr_t>(base_) / (pool_->guard_bytes_ + bytes_);
  return end() - (index % colours) * colour_step;
}

bool stack::guards(const void* address) const noexcept {
  if (pool_ == nullptr) return false;
  const auto at = reinterpret_cast<std::uintptr_t>(address);
  const auto base = reinterpret_cast<std::uintptr_t>(base_);
  return at < base && at >= base - pool_->guard_bytes_;
}

void stack::release() noexcept {
  if (pool_ == nullptr) return;
  pool_->give_back(*this);
  pool_ = nullptr;
}

stack_pool::stack_pool(stack_pool_options options)
    : options_(options),
      guard_bytes_(static_cast<std::size_t>(::getpagesize())),
      small_{stack_bytes_small, slab_stacks_small, {}, 0, 0, 0, {}},
      large_{stack_bytes_large, slab_stacks_large, {}, 0, 0, 0, {}} {}

stack_pool::~stack_pool() {
  GROVE_CHECK(out_ == 0, "a stack outlives its pool");
  for (const size_class* sized : {&small_, &large_}) {
    for (const slab& mapped : sized->slabs) {
#ifdef GROVE_VALGRIND
      for (unsigned id : mapped.valgrind_ids)
        VALGRIND_STACK_DEREGISTER(id);
#endif
      stack_bytes_leave(mapped.start, mapped.bytes);
      ::munmap(mapped.start, mapped.bytes);
    }
  }
}

std::optional<stack> stack_pool::try_take(stack_class kind) {
  GROVE_CHECK(kind != stack_class::sliced, "a pool has small and large stacks; sliced ones are parts of large ones");
  size_class& wanted = class_of(kind);
  if (exhausted() || (wanted.free.empty() && !grow(wanted))) return std::nullopt;
  std::byte* base = wanted.free.back();
  wanted.free.pop_back();
  wanted.trimmed = std::min(wanted.trimmed, wanted.free.size());
  wanted.measured = std::min(wanted.measured, wanted.free.size());
  out_max_ = std::max(out_max_, ++out_);
  return stack(*this, base, wanted.stack_bytes, kind);
}

void stack_pool::give_back(stack& returned) noexcept {
  std::vector<std::byte*>& free = class_of(returned.kind_).free;
  GROVE_DEBUG_CHECK(out_ > 0, "more stacks are given back than were taken");
  GROVE_DEBUG_CHECK(free.size() < free.capacity(), "there is no room for a stack that is given back");
  free.push_back(returned.base_);  // grow() has reserved the room
  --out_;
}

std::size_t stack_pool::measure(const size_class& sized, std::byte* base) const noexcept {
  std::array<unsigned char, stack_bytes_large / 4096> in_memory;  // as many as there can be: no page is smaller
  if (::mincore(base, sized.stack_bytes, in_memory.data()) != 0) return 0;
  const std::span<const unsigned char> pages(in_memory.data(), sized.stack_bytes / guard_bytes_);
  const auto deepest = std::ranges::find_if(pages, [](unsigned char page) { return (page & 1U) != 0; });
  return static_cast<std::size_t>(pages.end() - deepest) * guard_bytes_;
}

std::size_t stack_pool::cold_of(const size_class& sized) const noexcept {
  return sized.free.size() - std::min(sized.free.size(), options_.warm_max);
}

bool stack_pool::has_untrimmed(const size_class& sized) const noexcept {
  return sized.trimmed < cold_of(sized) || sized.measured < sized.free.size();
}

std::size_t stack_pool::trim() noexcept {
  return trim_while([] { return true; });
}

std::size_t stack_pool::trim(const clock& time, steady_duration at_most) noexcept {
  const steady_time began = time.now();
  return trim_while([&] { return time.now() - began < at_most; });
}

template <typename MayGoOn>
std::size_t stack_pool::trim_while(MayGoOn may_go_on) noexcept {
  bool goes_on = true;
  std::size_t left = options_.trimmed_max;
  std::size_t count = 0;
  for (size_class* sized : {&small_, &large_}) {
    const std::size_t free = sized->free.size();
    const std::size_t cold = cold_of(*sized);
    std::size_t at = sized->trimmed;
    for (; at < free && left > 0 && goes_on; ++at) {
      if (at >= cold && at < sized->measured) continue;  // it has lost its deep pages before
      --left;
      std::byte* const base = sized->free[at];
      const std::size_t used = measure(*sized, base);
      sized->bytes_used_max = std::max(sized->bytes_used_max, used);
      const std::size_t kept = at < cold ? 0 : options_.warm_bytes;
      if (used > kept) {
        ::madvise(base, sized->stack_bytes - kept, MADV_DONTNEED);
        ++count;
      }
      goes_on = may_go_on();
    }
    sized->trimmed = std::max(sized->trimmed, std::min(at, cold));
    sized->measured = std::max(sized->measured, at);
    GROVE_DEBUG_CHECK(sized->trimmed <= free && sized->measured <= free, "more stacks were trimmed than are free");
  }
  return count;
}

bool stack_pool::guard(std::byte* page) noexcept {
  if (options_.use_guard_regions) {
    if (::madvise(page, guard_bytes_, MADV_GUARD_INSTALL) == 0) return true;
    options_.use_guard_regions = false;
  }
  return ::mprotect(page, guard_bytes_, PROT_NONE) == 0;
}

bool stack_pool::grow(size_class& wanted) {
  const std::size_t stride = guard_bytes_ + wanted.stack_bytes;
  const std::size_t bytes = stride * wanted.slab_stacks;
  wanted.free.reserve((wanted.slabs.size() + 1) * wanted.slab_stacks);
  wanted.slabs.reserve(wanted.slabs.size() + 1);
  void* mapped =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (mapped == MAP_FAILED) return false;
  // A huge page would commit dozens of stacks at the first touch of one.
  ::madvise(mapped, bytes, MADV_NOHUGEPAGE);
  slab made{static_cast<std::byte*>(mapped), bytes, {}};
  for (std::size_t i = 0; i < wanted.slab_stacks; ++i) {
    if (!guard(made.start + i * stride)) {
      ::munmap(mapped, bytes);
      return false;
    }
  }
  for (std::size_t i = wanted.slab_stacks; i-- > 0;) {
    std::byte* base = made.start + i * stride + guard_bytes_;
#ifdef GROVE_VALGRIND
    if (RUNNING_ON_VALGRIND) made.valgrind_ids.push_back(VALGRIND_STACK_REGISTER(base, base + wanted.stack_bytes));
#endif
    wanted.free.push_back(base);
  }
  // New stacks have no pages: below everything that was free there was nothing, or grow() would not have been
  // called.
  wanted.trimmed = wanted.free.size();
  wanted.measured = wanted.free.size();
  wanted.slabs.push_back(std::move(made));
  return true;
}

}  // namespace grove
