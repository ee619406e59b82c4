// SPDX-License-Identifier: Apache-2.0
#include "worker/greenlet/internal/greenlet_places.h"

#include <sys/mman.h>

#include <new>
#include <utility>

#include "base/check.h"
#include "worker/greenlet/greenlet.h"
#include "worker/greenlet/sanitizer.h"

namespace grove::greenlets::detail {

// AddressSanitizer shall know each greenlet by itself.
#ifdef GROVE_ASAN

greenlet_places::~greenlet_places() = default;
void* greenlet_places::take() {
  return ::operator new (sizeof(greenlet), std::align_val_t{alignof(greenlet)});
}
void greenlet_places::give_back(void* freed) noexcept {
  ::operator delete (freed, std::align_val_t{alignof(greenlet)});
}

#else

namespace {

// A block begins at a multiple of its size, so that a place is enough to find it. Its head has the first place.
constexpr std::size_t block_bytes = 64UL * 1024;
constexpr std::size_t places_in_block = block_bytes / sizeof(greenlet) - 1;

// From so many blocks on, 1 MiB, the next ones are cut from a huge page. Few greenlets need none: they have entries
// enough in the TLB.
constexpr std::size_t blocks_before_huge = 16;
constexpr std::size_t huge_page_bytes = 2UL * 1024 * 1024;

/// Memory that begins at a multiple of its size, a power of two; null if the system gives none.
std::byte* map_aligned(std::size_t bytes) noexcept {
  void* const mapped = ::mmap(nullptr, 2 * bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  auto* const start = static_cast<std::byte*>(mapped);
  const std::size_t before = (bytes - reinterpret_cast<std::uintptr_t>(start) % bytes) % bytes;
  if (before != 0) ::munmap(start, before);
  ::munmap(start + before + bytes, bytes - before);
  return start + before;
}

}  // namespace

bool greenlet_places::block::full() const noexcept {
  return used == places_in_block;
}

greenlet_places::~greenlet_places() {
  GROVE_CHECK(open_ == nullptr, "a thread's memory goes before its greenlets");
  if (spare_ != nullptr) unmap(*spare_);
  if (!uncut_.empty()) ::munmap(uncut_.data(), uncut_.size());
  GROVE_CHECK(blocks_ == 0, "a block of greenlets is left over");
}

void* greenlet_places::take() {
  block& from = open_ != nullptr ? *open_ : open_block();
  void* taken = from.free;
  if (taken != nullptr) {
    from.free = from.free->next;
  } else {
    taken = reinterpret_cast<std::byte*>(&from) + ++from.begun * sizeof(greenlet);
  }
  ++from.used;
  if (from.full()) unlink(from);
  return taken;
}

void greenlet_places::give_back(void* freed) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(freed);
  block& of = *reinterpret_cast<block*>(static_cast<std::byte*>(freed) - address % block_bytes);
  GROVE_DEBUG_CHECK(of.used > 0 && of.begun >= of.used, "this is no place of a greenlet");
  if (of.full()) link(of);
  of.free = new (freed) place{of.free};
  if (--of.used != 0) return;
  unlink(of);
  if (block* const surplus = std::exchange(spare_, &of)) unmap(*surplus);
}

void* greenlet_places::map_block() {
  if (uncut_.empty() && blocks_ >= blocks_before_huge) {
    if (std::byte* const mapped = map_aligned(huge_page_bytes)) {
      ::madvise(mapped, huge_page_bytes, MADV_HUGEPAGE);  // a wish: else it has many small pages
      uncut_ = {mapped, huge_page_bytes};
    }
  }
  std::byte* const made = uncut_.empty() ? map_aligned(block_bytes) : uncut_.data();
  if (made == nullptr) throw std::bad_alloc();
  if (!uncut_.empty()) uncut_ = uncut_.subspan(block_bytes);
  ++blocks_;
  return made;
}

void greenlet_places::unmap(block& gone) noexcept {
  --blocks_;
  ::munmap(&gone, block_bytes);
}

greenlet_places::block& greenlet_places::open_block() {
  block* opened = std::exchange(spare_, nullptr);
  if (opened == nullptr) opened = new (map_block()) block;
  link(*opened);
  return *opened;
}

void greenlet_places::link(block& opened) noexcept {
  opened.previous = nullptr;
  opened.next = std::exchange(open_, &opened);
  if (opened.next != nullptr) opened.next->previous = &opened;
}

void greenlet_places::unlink(block& closed) noexcept {
  (closed.previous != nullptr ? closed.previous->next : open_) = closed.next;
  if (closed.next != nullptr) closed.next->previous = closed.previous;
}

#endif

}  // namespace grove::greenlets::detail
