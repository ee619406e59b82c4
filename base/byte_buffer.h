// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "base/check.h"

namespace grove {

/// A growing run of bytes that is filled at the end and consumed at the front, for sockets: bytes that were
/// added are not zeroed, and what was consumed is reused without an allocation. Lifetime: pointers and views
/// into it live until the next call that is not const.
class byte_buffer {
 public:
  byte_buffer() = default;
  explicit byte_buffer(std::size_t capacity) { reserve(capacity); }

  [[nodiscard]] std::string_view view() const noexcept { return {data_.get() + begin_, end_ - begin_}; }
  [[nodiscard]] std::size_t size() const noexcept { return end_ - begin_; }
  [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

  /// Room for `bytes` more at the end; `commit` then makes those that were written part of the buffer.
  [[nodiscard]] char* prepare(std::size_t bytes) {
    if (capacity_ - end_ < bytes) make_room(bytes);
    return data_.get() + end_;
  }
  void commit(std::size_t bytes) noexcept {
    GROVE_DEBUG_CHECK(bytes <= capacity_ - end_, "more is committed than there is room for");
    end_ += bytes;
  }

  /// `prepare` and `commit` in one: the place where `bytes` bytes are to be written.
  [[nodiscard]] char* extend(std::size_t bytes) {
    char* place = prepare(bytes);
    end_ += bytes;
    return place;
  }
  void append(std::string_view bytes);

  /// Removes from the front.
  void consume(std::size_t bytes) noexcept {
    GROVE_CHECK(bytes <= size(), "more is consumed than there is");
    begin_ += bytes;
    if (begin_ == end_) begin_ = end_ = 0;
  }
  void clear() noexcept { begin_ = end_ = 0; }

  /// Cuts the end off so that `size` bytes are left.
  void truncate(std::size_t size) noexcept {
    GROVE_DEBUG_CHECK(size <= end_ - begin_, "a buffer is cut off behind its end");
    end_ = begin_ + size;
  }

  void reserve(std::size_t capacity);

  /// Gives the memory back when it is empty and holds more than `keep` bytes.
  void shrink(std::size_t keep) noexcept;

 private:
  void make_room(std::size_t bytes);

  std::unique_ptr<char[]> data_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace grove
