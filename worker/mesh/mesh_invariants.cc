// SPDX-License-Identifier: Apache-2.0

// What holds between two polls of a mesh, looked at as a whole: for tests and simulations, after each of their steps.
// Nothing here goes by what only stands in shared memory: another worker may have damaged that, and a mesh lives with it.

#include <algorithm>
#include <cstring>
#include <string_view>

#include "base/check.h"
#include "worker/mesh/internal/lane.h"
#include "worker/mesh/internal/peer.h"
#include "worker/mesh/internal/pending_calls.h"
#include "worker/mesh/mesh.h"
#include "worker/mesh/ring.h"

namespace grove {

void ring_writer::check_invariants() const {
  GROVE_CHECK(published_ <= reserved_, "a ring has more published than written");
  GROVE_CHECK(published_ % 8 == 0 && reserved_ % 8 == 0, "a record begins at no multiple of 8");
  GROVE_CHECK(offset_ == reserved_ % capacity_, "a writer's place in its ring is not where its position is");
  GROVE_CHECK(reserved_ - published_ <= capacity_, "more is written than a ring holds");
  // A reader that followed a damaged tail is ahead of what was published; `reserve` leads it back.
  const bool reader_is_astray = published_ - head_ > capacity_;
  GROVE_CHECK(reader_is_astray || reserved_ - head_ <= capacity_, "what is not read yet has been written over");
}

void ring_reader::check_invariants() const {
  GROVE_CHECK(released_ <= head_, "room was given back that is still being read");
  GROVE_CHECK(head_ - released_ <= capacity_, "more was read than a ring holds");
  GROVE_CHECK(head_ % 8 == 0, "a record begins at no multiple of 8");
  GROVE_CHECK(offset_ == head_ % capacity_, "a reader's place in its ring is not where its position is");
}

namespace meshes::detail {

void lane::check_invariants() const {
  ring_.check_invariants();
  std::string_view rest = waiting_.view();
  while (!rest.empty()) {
    std::uint64_t size = 0;
    GROVE_CHECK(rest.size() > sizeof size, "a record that waits for room is cut off in its size");
    std::memcpy(&size, rest.data(), sizeof size);
    rest.remove_prefix(sizeof size);
    GROVE_CHECK(size > 0 && size <= bytes_max(), "a record waits for room that no ring has");
    GROVE_CHECK(size <= rest.size(), "a record that waits for room is cut off");
    rest.remove_prefix(size);
  }
}

void pending_calls::check_invariants() const {
  std::size_t taken = 0;
  for (std::uint32_t index = 0; index < entries_.size(); ++index) {
    const pending_call& entry = entries_[index];
    if (!entry.call) continue;
    ++taken;
    const message& call = *entry.call;
    GROVE_CHECK(call.state == message_state::remote, "a call that another worker has is in another state");
    GROVE_CHECK(call.remote_slot == entry.slot, "a call and its entry name different workers");
    GROVE_CHECK(entry.counter != 0 && call.remote_call == (std::uint64_t{entry.counter} << 32U | index),
                "a call has the number of another entry, or of another use of its own");
    GROVE_CHECK(entry.progress <= entry.items_bytes, "more items have reached a client than were received");
  }
  GROVE_CHECK(taken == size_, "the number of calls that other workers have is not what was counted");
  std::size_t free = 0;
  for (std::uint32_t index = first_free_; index != none; index = entries_[index].next_free) {
    GROVE_CHECK(index < entries_.size() && ++free <= entries_.size() - taken,
                "the list of free entries leads out of the table, or round in a circle");
    GROVE_CHECK(!entries_[index].call, "an entry is free and has a call");
  }
  GROVE_CHECK(taken + free == entries_.size(), "an entry is neither taken nor free");
}

}  // namespace meshes::detail

void mesh::check_peer(const peer& p) const {
  GROVE_CHECK(p.shared == &segment_.slot(p.slot), "a peer has the shared memory of another slot");
  GROVE_CHECK(!p.lost, "a peer's end is still being handled between polls");
  p.out.check_invariants();
  p.in.check_invariants();
  GROVE_CHECK(p.in.unreleased_bytes() == 0, "what was read in a poll has not been given back at its end");
  for (std::size_t index = 0; index < p.calls.size(); ++index) {
    const meshes::detail::call_at_work& at_work = p.calls[index];
    if (at_work.call == nullptr) continue;
    const message& call = *at_work.call;
    GROVE_CHECK(call.origin == this, "a call of another worker would be answered to somebody else");
    GROVE_CHECK(call.origin_session == p.session(), "a call is kept for a process that has gone");
    GROVE_CHECK(meshes::detail::index_of(call.origin_id) == index, "a call of another worker is not at its index");
    GROVE_CHECK(call.state != message_state::answered, "a call of another worker has been answered, but not to it");
    GROVE_CHECK(at_work.progress <= at_work.items_bytes, "more items have reached a client than were written");
  }
}

void mesh::check_invariants() const {
  GROVE_CHECK(peers_.size() == segment_.workers() && peers_[slot_] == nullptr,
              "a mesh has a peer for each other slot, and none for its own");
  for (std::uint32_t slot = 0; slot < peers_.size(); ++slot) {
    if (slot == slot_) continue;
    GROVE_CHECK(peers_[slot] != nullptr && peers_[slot]->slot == slot, "a peer is not at its slot");
    check_peer(*peers_[slot]);
  }
  pending_->check_invariants();
  GROVE_CHECK(own_.metrics[metric::mesh_pending].get() == pending_->size(),
              "the metric of calls under way says another number");
  GROVE_CHECK(looked_at_.empty(), "slow streams are being looked at between polls");
  for (std::size_t index = 0; const auto* const entry = pending_->entry_at(index); ++index) {
    if (!entry->call) continue;
    GROVE_CHECK(entry->slot < peers_.size() && entry->slot != slot_, "a call is with a worker that there is not");
    const std::uint64_t number = entry->call->remote_call;
    const auto listed =
        std::ranges::count_if(slow_streams_, [number](const slow_stream& s) { return s.number == number; });
    GROVE_CHECK(listed == (entry->watched ? 1 : 0), "a stream whose client is slow is not looked at, or is twice");
  }
}

}  // namespace grove
