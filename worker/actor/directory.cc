// SPDX-License-Identifier: Apache-2.0
#include "worker/actor/directory.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <new>

#include "base/cache_line.h"
#include "base/check.h"
#include "worker/actor/actor.h"

namespace grove {
namespace {

// The cell, the head of the object and, of a small one, its key.
constexpr std::size_t prefetched_bytes = 5 * cache_line_bytes;

std::align_val_t block_alignment(const actor_type_definition& definition) noexcept {
  return std::align_val_t{std::max(alignof(actor_cell), definition.object_alignment)};
}

void free_cell(actor_cell* cell) noexcept {
  const std::align_val_t alignment = block_alignment(cell->type().definition());
  directory::destroy_object(*cell);
  cell->~actor_cell();
  ::operator delete(static_cast<void*>(cell), alignment);
}

}  // namespace

directory::~directory() {
  for (actor_cell* cell : cells_)
    free_cell(cell);
}

actor_cell* directory::find(const actor_type& type, std::uint64_t hash, std::string_view key) const noexcept {
  return by_address_.find(address_table::address{&type, hash, key});
}

void directory::prefetch(std::uint64_t hash) const noexcept {
  const auto* const block = reinterpret_cast<const char*>(by_address_.find(address_table::hash_only{hash}));
  if (block == nullptr) return;
  for (std::size_t line = 0; line < prefetched_bytes; line += cache_line_bytes)
    __builtin_prefetch(block + line);
}

actor_cell& directory::insert(hosted_type& type, std::uint64_t hash, std::string_view key) {
  GROVE_CHECK(key.size() <= std::numeric_limits<std::uint16_t>::max(), "a key is longer than a cell can say");
  GROVE_DEBUG_CHECK(find(type.type, hash, key) == nullptr, "an address gets a second actor");
  const std::size_t key_offset = type.type.key_offset();
  auto* const block =
      static_cast<char*>(::operator new(key_offset + key.size(), block_alignment(type.type.definition())));
  auto* const cell = new (block) actor_cell{type, hash};
  std::unique_ptr<actor_cell, decltype([](actor_cell* c) { free_cell(c); })> owned{cell};
  if (!key.empty()) std::memcpy(block + key_offset, key.data(), key.size());
  cell->key_size = static_cast<std::uint16_t>(key.size());
  cell->index = static_cast<std::uint32_t>(cells_.size());
  cells_.push_back(cell);
  try {
    by_address_.insert(*cell);
  } catch (...) {
    cells_.pop_back();
    throw;
  }
  return *owned.release();
}

void directory::erase(actor_cell& cell) noexcept {
  GROVE_CHECK(cell.index < cells_.size() && cells_[cell.index] == &cell,
              "an actor does not know its place in the directory");
  GROVE_CHECK(cell.turns_running == 0 && cell.exclusive == nullptr, "an actor goes while it has a turn");
  GROVE_CHECK(!cell.ready && !cell.mail.has_messages(), "an actor goes that has something to do");
  GROVE_CHECK(cell.streams == nullptr, "an actor goes whose streams are open");
  by_address_.erase(cell);
  cells_[cell.index] = cells_.back();
  cells_[cell.index]->index = cell.index;
  cells_.pop_back();
  free_cell(&cell);
}

void directory::make_object(actor_cell& cell) {
  GROVE_CHECK(cell.object == nullptr, "an actor gets a second object");
  cell.object = cell.type().definition().construct(reinterpret_cast<char*>(&cell) + cell.type().object_offset());
}

void directory::destroy_object(actor_cell& cell) noexcept {
  if (cell.object != nullptr) cell.object->~actor();
  cell.object = nullptr;
}

}  // namespace grove
