// SPDX-License-Identifier: Apache-2.0
#include "worker/mesh/mesh.h"

#include <spdlog/logger.h>

#include <algorithm>
#include <limits>
#include <new>
#include <string>
#include <utility>

#include "base/check.h"
#include "worker/mesh/internal/peer.h"
#include "worker/mesh/internal/pending_calls.h"
#include "worker/mesh/internal/records.h"

namespace grove {

using meshes::detail::no_deadline;
using meshes::detail::note_head;
using meshes::detail::peer;
using meshes::detail::pending_calls;
using meshes::detail::put_bytes;
using meshes::detail::put_head;
using meshes::detail::record_head;
using meshes::detail::record_kind;
using meshes::detail::reply_head;
using meshes::detail::request_head;

namespace {

/// So much is published without waiting for the end of the pass, so that the reader can begin.
constexpr std::uint64_t published_early_bytes = 64 * 1024;

std::string worker_text(std::uint32_t slot) {
  return "worker " + std::to_string(slot);
}

std::string too_large(std::string_view what, std::size_t bytes, const peer& p) {
  return std::string{what} + " has " + std::to_string(bytes) + " bytes; the ring to " + worker_text(p.slot) +
         " takes " + std::to_string(p.out.bytes_max()) + " (it grows with limits.frame-bytes-max)";
}

}  // namespace

mesh::mesh(const mesh_options& options)
    : segment_{options.segment},
      own_{options.segment.slot(options.slot)},
      slot_{options.slot},
      generation_{own_.generation.load(std::memory_order_acquire)},
      wakes_{options.wakes},
      types_{options.types},
      messages_{options.messages},
      receiver_{options.receiver},
      log_{options.log},
      time_{options.time},
      now_{options.time.now()},
      pending_{std::make_unique<pending_calls>()} {
  const std::size_t ring_bytes = segment_.ring_bytes();
  table_version_ = segment_.table_version();
  for (std::uint32_t i = 0; i < segment_.workers(); ++i) {
    auto& added = peers_.emplace_back();
    if (i == slot_) continue;
    added = std::make_unique<peer>();
    added->slot = i;
    added->shared = &segment_.slot(i);
    added->generation = added->shared->generation.load(std::memory_order_acquire);
    added->state = added->shared->state.load(std::memory_order_acquire);
    added->in =
        ring_reader{segment_.ring(i, slot_), ring_mapping{segment_.fd(), segment_.ring_offset(i, slot_), ring_bytes}};
    added->out = meshes::detail::lane{
        ring_writer{segment_.ring(slot_, i), ring_mapping{segment_.fd(), segment_.ring_offset(slot_, i), ring_bytes}}};
  }
  // The last process may have died with calls under way,
  own_.metrics[metric::mesh_pending].set(0);
  // or asleep.
  const std::uint32_t sleeps = own_.asleep.load(std::memory_order_relaxed);
  own_.asleep.store((sleeps | 1U) + 1, std::memory_order_seq_cst);
}

mesh::~mesh() {
  flush();
}

void mesh::close() {
  closed_ = true;
  for (const auto& p : peers_) {
    if (p) fail_calls_at(*p, ~std::uint64_t{0}, "worker " + std::to_string(slot_) + ", which made the call, stops");
  }
}

std::size_t mesh::calls_out() const noexcept {
  return pending_->size();
}

bool mesh::idle() const noexcept {
  return std::ranges::all_of(peers_, [](const auto& p) {
    return !p || (!p->in.has_more() && p->out.waiting_bytes() == 0 && p->out.ring().unpublished_bytes() == 0);
  });
}

std::uint64_t mesh::faults_of(std::uint32_t slot) const noexcept {
  return peers_[slot] ? peers_[slot]->faults : 0;
}

/// Whether the worker of `p` is there and takes `call`.
bool mesh::takes_calls(const peer& p, const message& call) const noexcept {
  const auto state = p.shared->state.load(std::memory_order_acquire);
  if (p.shared->generation.load(std::memory_order_acquire) != p.generation) return false;
  const bool begun_before = call.depth > 0 || !call.wants_reply() || call.state == message_state::unsent;
  return state == worker_state::up || (state == worker_state::draining && begun_before);
}

send_readiness mesh::readiness(std::uint32_t slot, const message& call) {
  GROVE_CHECK(slot < peers_.size() && slot != slot_, "the mesh is for other workers");
  peer& p = *peers_[slot];
  const std::size_t bytes = sizeof(request_head) + call.body_size();
  if (closed_ || pending_->full() || bytes > p.out.bytes_max() || !takes_calls(p, call)) return send_readiness::refused;
  if (p.out.has_space(bytes)) return send_readiness::ready;
  if (call.state != message_state::unsent) own_.metrics[metric::mesh_full].add();
  return send_readiness::no_space;
}

void mesh::send(std::uint32_t slot, message_ptr call) {
  GROVE_CHECK(slot < peers_.size() && slot != slot_, "the mesh is for other workers");
  peer& p = *peers_[slot];
  if (closed_) return receiver_.refuse(std::move(call), {status_code::unavailable, "the worker stops"});
  if (!takes_calls(p, *call)) {
    const bool drains = p.shared->state.load(std::memory_order_acquire) == worker_state::draining;
    const std::string text = worker_text(slot) + ", which owns " + call->type->name() + "/" + std::string{call->key()} +
                             (drains ? ", is draining" : ", is restarting");
    return receiver_.refuse(std::move(call), {status_code::unavailable, text});
  }
  GROVE_CHECK(call->type != nullptr && call->method < call->type->methods().size(),
              "a message is sent that has no method");
  GROVE_CHECK(call->state == message_state::arrived || call->state == message_state::unsent,
              "a message is sent to another worker that is somewhere else");
  const bool answered = call->wants_reply();
  const std::size_t bytes = sizeof(request_head) + call->body_size();
  // First what may throw: a record that is begun has to be finished.
  std::uint64_t number = 0;
  if (answered && !pending_->full()) {
    try {
      number = pending_->next_number();
    } catch (const std::bad_alloc&) {
      return receiver_.refuse(std::move(call), {status_code::resource_exhausted, "no memory for another call"});
    }
  }
  char* const at = answered && number == 0 ? nullptr : try_place(p, bytes);
  if (at == nullptr) {
    own_.metrics[metric::mesh_full].add();
    return receiver_.refuse(std::move(call), {status_code::resource_exhausted, why_full(p, bytes)});
  }
  request_head head;
  head.common.kind = record_kind::request;
  head.common.to_generation = p.generation;
  head.common.call = number;
  head.hash = call->hash;
  head.left_ns = call->deadline == steady_time::max() ? no_deadline : (call->deadline - now_).count();
  head.from_generation = generation_;
  head.key_size = call->key_size;
  head.payload_size = call->request_size;
  head.chain_size = call->chain_size;
  head.metadata_size = call->metadata_size;
  head.type_id = call->type->id();
  head.method_id = call->type->methods()[call->method].id;
  head.epoch = call->epoch;
  head.depth = call->depth;
  head.one_way = call->one_way ? 1 : 0;
  [[maybe_unused]] const char* const end = call->write_body(put_head(at, head));
  GROVE_DEBUG_CHECK(end == at + bytes, "a request does not fill its record, or writes beyond it");
  own_.metrics[metric::mesh_sent].add();
  if (!answered) return;
  call->state = message_state::remote;
  call->remote_call = head.common.call;
  call->remote_slot = static_cast<std::uint16_t>(slot);
  pending_->add(std::move(call), static_cast<std::uint16_t>(slot), p.out.ring().position());
  own_.metrics[metric::mesh_pending].set(pending_->size());
}

std::string mesh::why_full(const peer& p, std::size_t bytes) const {
  if (bytes > p.out.bytes_max()) return too_large("a message", bytes, p);
  if (p.out.waiting_bytes() == 0 && pending_->full()) return "too many calls wait for other workers";
  return "the ring to " + worker_text(p.slot) + " is full";
}

void mesh::cancel(message& call) {
  if (call.state != message_state::remote || call.remote_slot >= peers_.size() || !peers_[call.remote_slot]) return;
  peer& p = *peers_[call.remote_slot];
  if (pending_->find(call.remote_call, p.slot) == nullptr) return;
  note(p, {record_kind::cancel, 0, 0, 0, p.generation, call.remote_call}, 0);
}

char* mesh::try_place(peer& p, std::size_t bytes) {
  if (p.out.ring().unpublished_bytes() >= published_early_bytes) publish(p);
  return p.out.try_place(bytes);
}

char* mesh::place(peer& p, std::size_t bytes) {
  if (p.out.ring().unpublished_bytes() >= published_early_bytes) publish(p);
  own_.metrics[metric::mesh_sent].add();
  return p.out.place(bytes);
}

void mesh::note(peer& p, const record_head& head, std::uint64_t value) {
  put_head(place(p, sizeof(note_head)), note_head{head, value});
}

// Calls from other workers, answered here.

peer* mesh::peer_of(const message& call) const noexcept {
  const auto slot = static_cast<std::size_t>(call.origin_session & 0xffffU);
  if (slot >= peers_.size() || !peers_[slot] || peers_[slot]->session() != call.origin_session) return nullptr;
  return peers_[slot].get();
}

void mesh::write_reply(peer& p, std::uint64_t number, const reply& end) {
  reply_head head;
  head.common = {record_kind::reply,
                 static_cast<std::uint8_t>(end.code),
                 static_cast<std::uint8_t>(end.result),
                 0,
                 p.generation,
                 number};
  head.text_size = static_cast<std::uint32_t>(end.text.size());
  head.payload_size = static_cast<std::uint32_t>(end.payload.size());
  char* const at = place(p, sizeof head + end.text.size() + end.payload.size());
  end.payload.write(put_bytes(put_head(at, head), end.text));
}

void mesh::finish(message& call, const reply& end) {
  peer* const p = peer_of(call);
  auto* const at_work = p != nullptr ? p->find(call.origin_id) : nullptr;
  if (at_work == nullptr || at_work->call != &call) return;
  at_work->call = nullptr;
  const std::size_t bytes = sizeof(reply_head) + end.text.size() + end.payload.size();
  if (bytes <= p->out.bytes_max()) return write_reply(*p, call.origin_id, end);
  write_reply(*p, call.origin_id, {status_code::resource_exhausted, end.result, too_large("an answer", bytes, *p), {}});
}

void mesh::item(message& call, const payload_source& payload) {
  peer* const p = peer_of(call);
  auto* const at_work = p != nullptr ? p->find(call.origin_id) : nullptr;
  if (at_work == nullptr || at_work->call != &call) return;
  const std::size_t bytes = sizeof(reply_head) + payload.size();
  if (bytes > p->out.bytes_max()) {
    // The caller has its end of the call; the actor finds the backlog without bounds, and ends its side.
    finish(call, {status_code::resource_exhausted, outcome::executed, too_large("an item", bytes, *p), {}});
    return;
  }
  at_work->items_bytes += payload.size();
  reply_head head;
  head.common = {record_kind::item, 0, 0, 0, p->generation, call.origin_id};
  head.payload_size = static_cast<std::uint32_t>(payload.size());
  payload.write(put_head(place(*p, bytes), head));
}

std::size_t mesh::backlog_bytes(const message& call) const {
  peer* const p = peer_of(call);
  const auto* const at_work = p != nullptr ? p->find(call.origin_id) : nullptr;
  if (at_work == nullptr || at_work->call != &call) return std::numeric_limits<std::size_t>::max();
  return at_work->items_bytes - at_work->progress;
}

// The loop.

bool mesh::poll() {
  now_ = time_.now();
  bool did_something = false;
  if (segment_.table_version() != table_version_) {
    observe_table();
    did_something = true;
  }
  for (const auto& p : peers_) {
    if (p && read(*p)) did_something = true;
  }
  if (!slow_streams_.empty()) look_at_slow_streams();
  if (flush()) did_something = true;
  return did_something;
}

bool mesh::flush() {
  bool published = false;
  std::size_t waiting_bytes = 0;
  for (const auto& p : peers_) {
    if (!p) continue;
    if (p->out.flush()) {
      wake(*p);
      published = true;
    }
    waiting_bytes += p->out.waiting_bytes();
  }
  own_.metrics[metric::mesh_overflow].set(waiting_bytes);
  return published;
}

void mesh::publish(peer& p) {
  if (p.out.flush()) wake(p);
}

void mesh::wake(peer& p) noexcept {
  const std::uint32_t sleep = p.shared->asleep.load(std::memory_order_seq_cst);
  if ((sleep & 1U) == 0 || sleep == p.woken_sleep) return;
  p.woken_sleep = sleep;
  own_.metrics[metric::wakeups].add();
  wakes_.wake(p.slot);
}

bool mesh::prepare_sleep() {
  flush();
  own_.asleep.store(own_.asleep.load(std::memory_order_relaxed) + 1, std::memory_order_seq_cst);
  if (segment_.table_version() != table_version_) return false;
  return std::all_of(peers_.begin(), peers_.end(),
                     [](const auto& p) { return !p || (!p->in.has_more() && p->out.may_sleep()); });
}

void mesh::woke() {
  own_.asleep.store(own_.asleep.load(std::memory_order_relaxed) + 1, std::memory_order_seq_cst);
}

}  // namespace grove
