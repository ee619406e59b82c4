// SPDX-License-Identifier: Apache-2.0
#include "worker/mesh/ring.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/check.h"

namespace grove {

namespace {

struct record_header {
  std::uint32_t size;
  std::uint32_t mark;
};
static_assert(sizeof(record_header) == record_header_bytes);

[[noreturn]] void fail(const char* what) {
  throw std::system_error{errno, std::generic_category(), std::string{"mesh ring: "} + what};
}

/// Whether a ring can have these positions.
constexpr bool are_positions(std::uint64_t head, std::uint64_t tail, std::uint64_t capacity) noexcept {
  return head % 8 == 0 && tail % 8 == 0 && tail - head <= capacity;
}

}  // namespace

ring_mapping::ring_mapping(int fd, std::uint64_t offset, std::size_t capacity) {
  // First room for both, so that nothing else can be mapped between them.
  void* const room = ::mmap(nullptr, 2 * capacity, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (room == MAP_FAILED) fail("reserving address space");
  auto* const place = static_cast<char*>(room);
  for (char* const half : {place, place + capacity}) {
    if (::mmap(half, capacity, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, static_cast<off_t>(offset)) ==
        MAP_FAILED) {
      const int error = errno;
      ::munmap(room, 2 * capacity);
      errno = error;
      fail("mmap of the shared segment");
    }
  }
  data_ = place;
  capacity_ = capacity;
}

ring_mapping::ring_mapping(ring_mapping&& other) noexcept
    : data_{std::exchange(other.data_, nullptr)}, capacity_{std::exchange(other.capacity_, 0)} {}

ring_mapping& ring_mapping::operator=(ring_mapping&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(capacity_, other.capacity_);
  return *this;
}

ring_mapping::~ring_mapping() {
  if (data_ != nullptr) ::munmap(data_, 2 * capacity_);
}

ring_writer::ring_writer(ring_control& control, ring_mapping mapping) noexcept
    : control_{&control}, mapping_{std::move(mapping)}, capacity_{mapping_.capacity()} {
  head_ = control.head.load(std::memory_order_acquire);
  published_ = control.tail.load(std::memory_order_relaxed);
  if (!are_positions(head_, published_, capacity_)) {
    // Nobody but a writer that overwrote it can have left such a tail: begin anew where the reader is.
    published_ = (head_ + 7) & ~std::uint64_t{7};
    control.tail.store(published_, std::memory_order_release);
  }
  reserved_ = published_;
  offset_ = reserved_ % capacity_;
  control.wants_room.store(0, std::memory_order_relaxed);
}

bool ring_writer::has_space(std::size_t bytes) noexcept {
  const std::uint64_t needed = record_bytes(bytes);
  if (bytes == 0 || bytes > body_bytes_max()) return false;
  if (reserved_ + needed - head_ <= capacity_) return true;
  head_ = control_->head.load(std::memory_order_seq_cst);
  if (published_ - head_ > capacity_) {
    // The reader followed a damaged tail. Now it sees the true one, finds it out of range and resets.
    control_->tail.store(published_, std::memory_order_release);
    return false;
  }
  return reserved_ + needed - head_ <= capacity_;
}

char* ring_writer::reserve(std::size_t bytes) noexcept {
  if (!has_space(bytes)) return nullptr;
  const std::uint64_t needed = record_bytes(bytes);
  GROVE_DEBUG_CHECK(offset_ == reserved_ % capacity_ && published_ <= reserved_,
                    "a writer has lost its place in a ring");
  char* const place = mapping_.data() + offset_;
  const record_header header{static_cast<std::uint32_t>(bytes), static_cast<std::uint32_t>(bytes) ^ record_mark};
  std::memcpy(place, &header, sizeof header);
  reserved_ += needed;
  offset_ += needed;
  if (offset_ >= capacity_) offset_ -= capacity_;
  return place + record_header_bytes;
}

bool ring_writer::publish() noexcept {
  if (reserved_ == published_) return false;
  published_ = reserved_;
  control_->tail.store(published_, std::memory_order_seq_cst);
  return true;
}

void ring_writer::want_room(bool wanted) noexcept {
  control_->wants_room.store(wanted ? 1 : 0, std::memory_order_seq_cst);
}

void ring_writer::discard() noexcept {
  reserved_ = published_;
  offset_ = reserved_ % capacity_;
}

std::string_view ring_writer::record_at(std::uint64_t& position) const noexcept {
  if (position == reserved_ || !are_positions(position, reserved_, capacity_)) return {};
  const char* const place = mapping_.data() + position % capacity_;
  record_header header;
  std::memcpy(&header, place, sizeof header);
  const std::uint64_t whole = record_bytes(header.size);
  if ((header.size ^ header.mark) != record_mark || whole > reserved_ - position) return {};
  position += whole;
  return {place + record_header_bytes, header.size};
}

ring_reader::ring_reader(ring_control& control, ring_mapping mapping) noexcept
    : control_{&control}, mapping_{std::move(mapping)}, capacity_{mapping_.capacity()} {
  reset();
}

ring_state ring_reader::peek(std::string_view& body) noexcept {
  if (head_ == tail_) {
    tail_ = control_->tail.load(std::memory_order_acquire);
    if (head_ == tail_) return ring_state::empty;
    if (!are_positions(head_, tail_, capacity_)) return ring_state::corrupt;
  }
  record_header header;
  std::memcpy(&header, mapping_.data() + offset_, sizeof header);
  const std::uint64_t whole = record_bytes(header.size);
  if (header.size == 0 || (header.size ^ header.mark) != record_mark || whole > tail_ - head_) {
    return ring_state::corrupt;
  }
  first_bytes_ = whole;
  body = {mapping_.data() + offset_ + record_header_bytes, header.size};
  return ring_state::record;
}

void ring_reader::consume() noexcept {
  GROVE_DEBUG_CHECK(first_bytes_ != 0 && first_bytes_ <= tail_ - head_, "a record is consumed that was not looked at");
  head_ += first_bytes_;
  offset_ += first_bytes_;
  if (offset_ >= capacity_) offset_ -= capacity_;
}

bool ring_reader::release() noexcept {
  if (released_ == head_) return false;
  GROVE_DEBUG_CHECK(released_ < head_ && head_ - released_ <= capacity_, "more room is given back than a ring has");
  released_ = head_;
  control_->head.store(head_, std::memory_order_seq_cst);
  return control_->wants_room.load(std::memory_order_seq_cst) != 0;
}

void ring_reader::reset() noexcept {
  // Rounded, so that a damaged tail does not leave this end unaligned for ever; the writer's next one is
  // sound.
  tail_ = control_->tail.load(std::memory_order_acquire) & ~std::uint64_t{7};
  head_ = tail_;
  released_ = head_;
  offset_ = head_ % capacity_;
  first_bytes_ = 0;
  control_->head.store(head_, std::memory_order_release);
}

bool ring_reader::has_more() const noexcept {
  return control_->tail.load(std::memory_order_seq_cst) != head_;
}

}  // namespace grove
