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

// Every block begins at a multiple of the size of the widest, so that a place is enough to find it. Its head has the
// first place.
constexpr std::uint32_t block_bytes = 64U * 1024;
constexpr std::uint32_t wide_block_bytes = 2U * 1024 * 1024;  // a huge page
// From so many bytes of blocks on a wide one adds at most twice as much. Few greenlets need no huge page: they have
// entries enough in the TLB.
constexpr std::size_t bytes_before_wide = 1024UL * 1024;

void* map_block(std::size_t bytes) {
  const std::size_t searched = wide_block_bytes + bytes;
  void* const mapped = ::mmap(nullptr, searched, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  auto* const start = static_cast<std::byte*>(mapped);
  const std::size_t before =
      (wide_block_bytes - reinterpret_cast<std::uintptr_t>(start) % wide_block_bytes) % wide_block_bytes;
  if (before != 0) ::munmap(start, before);
  if (before + bytes != searched) ::munmap(start + before + bytes, searched - before - bytes);
  // A wish: where it is not granted, a wide block has many small pages.
  if (bytes == wide_block_bytes) ::madvise(start + before, bytes, MADV_HUGEPAGE);
  return start + before;
}

}  // namespace

greenlet_places::block::block(std::uint32_t of_bytes) noexcept
    : bytes(of_bytes), places(static_cast<std::uint32_t>(of_bytes / sizeof(greenlet) - 1)) {}

greenlet_places::~greenlet_places() {
  GROVE_CHECK(open_ == nullptr, "a thread's memory goes before its greenlets");
  if (spare_ != nullptr) unmap(*spare_);
  GROVE_CHECK(mapped_bytes_ == 0, "a block of greenlets is left over");
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
  block& of = *reinterpret_cast<block*>(static_cast<std::byte*>(freed) - address % wide_block_bytes);
  GROVE_DEBUG_CHECK(of.used > 0 && address % wide_block_bytes < of.bytes, "this is no place of a greenlet");
  if (of.full()) link(of);
  of.free = new (freed) place{of.free};
  if (--of.used != 0) return;
  unlink(of);
  if (block* const surplus = std::exchange(spare_, &of)) unmap(*surplus);
}

void greenlet_places::unmap(block& gone) noexcept {
  const std::size_t bytes = gone.bytes;
  mapped_bytes_ -= bytes;
  ::munmap(&gone, bytes);
}

greenlet_places::block& greenlet_places::open_block() {
  block* opened = std::exchange(spare_, nullptr);
  if (opened == nullptr) {
    const std::uint32_t bytes = mapped_bytes_ < bytes_before_wide ? block_bytes : wide_block_bytes;
    opened = new (map_block(bytes)) block(bytes);
    mapped_bytes_ += bytes;
  }
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
