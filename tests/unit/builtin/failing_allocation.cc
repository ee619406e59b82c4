// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/builtin/failing_allocation.h"

#include <cstdlib>
#include <new>

namespace {

std::size_t left = 0;  // Until the one that fails; 0: none does.
std::size_t counted_from = 0;

bool is_to_fail(std::size_t bytes) noexcept {
  return left > 0 && bytes >= counted_from && --left == 0;
}

}  // namespace

void* operator new(std::size_t bytes) {
  if (!is_to_fail(bytes)) {
    if (void* const room = std::malloc(bytes)) return room;
  }
  throw std::bad_alloc{};
}

void operator delete(void* room) noexcept {
  std::free(room);
}

void operator delete(void* room, std::size_t) noexcept {
  std::free(room);
}

namespace grove::test {

failing_allocation::failing_allocation(std::size_t number, std::size_t bytes_min) noexcept {
  counted_from = bytes_min;
  left = number;
}

failing_allocation::~failing_allocation() {
  left = 0;
}

bool failing_allocation::failed() const noexcept {
  return left == 0;
}

}  // namespace grove::test
