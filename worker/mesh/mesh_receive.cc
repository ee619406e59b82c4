// SPDX-License-Identifier: Apache-2.0
// The mesh's receiving side: records from other workers, and their deaths.
#include <spdlog/logger.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/check.h"
#include "worker/mesh/internal/peer.h"
#include "worker/mesh/internal/pending_calls.h"
#include "worker/mesh/internal/records.h"
#include "worker/mesh/mesh.h"

namespace grove {

using meshes::detail::calls_max;
using meshes::detail::index_of;
using meshes::detail::no_deadline;
using meshes::detail::note_head;
using meshes::detail::pending_call;
using meshes::detail::record_head;
using meshes::detail::record_kind;
using meshes::detail::reply_head;
using meshes::detail::request_head;
using meshes::detail::take_bytes;
using meshes::detail::take_head;

namespace {

constexpr int records_per_poll = 256;

/// A stream's progress is reported in steps of this.
constexpr std::uint64_t progress_step = 16 * 1024;

}  // namespace

bool mesh::read(peer& p) {
  int records = 0;
  for (; records < records_per_poll; ++records) {
    std::string_view body;
    const ring_state state = p.in.peek(body);
    if (state == ring_state::empty) break;
    const verdict found = state == ring_state::record ? take(p, body) : verdict::malformed;
    if (found == verdict::not_yet) break;
    if (found == verdict::malformed) {
      found_damaged(p);
      return true;
    }
    p.in.consume();
    if (p.in.unreleased_bytes() > segment_.ring_bytes() / 4 && p.in.release()) wake(p);
  }
  if (records == 0) return false;
  own_.metrics[metric::mesh_received].add(static_cast<std::uint64_t>(records));
  if (p.in.release()) wake(p);
  return true;
}

mesh::verdict mesh::take(peer& p, std::string_view body) {
  record_head head;
  std::string_view rest = body;
  if (!take_head(rest, head) || head.kind < record_kind::request || head.kind > record_kind::emptied ||
      head.to_generation > generation_) {
    return verdict::malformed;
  }
  // Meant for a process that had this slot before.
  if (head.to_generation != generation_) return verdict::good;
  switch (head.kind) {
    case record_kind::request:
      return take_request(p, body);
    case record_kind::reply:
    case record_kind::item:
      return take_answer(p, body);
    case record_kind::cancel:
    case record_kind::progress:
    case record_kind::emptied:
      return take_note(p, body);
  }
  return verdict::malformed;
}

mesh::verdict mesh::take_request(peer& p, std::string_view body) {
  request_head head;
  if (!take_head(body, head)) return verdict::malformed;
  const std::uint64_t number = head.common.call;
  if (std::uint64_t{head.key_size} + head.payload_size + head.chain_size + head.metadata_size != body.size() ||
      index_of(number) >= calls_max) {
    return verdict::malformed;
  }
  if (head.from_generation != p.generation &&
      head.from_generation == p.shared->generation.load(std::memory_order_acquire)) {
    // Its new process is known to it before it is known here: the table has changed since this poll looked.
    return verdict::not_yet;
  }
  const bool answered = number != 0;
  // Nobody waits any more for what a dead worker asked; what it told is done all the same.
  if (answered && (p.lost || head.from_generation != p.generation)) return verdict::good;
  message_ptr call = unpack(head, body);
  if (!call) {
    const std::string text = "worker " + std::to_string(slot_) + " has another version, without this type or method";
    if (answered) write_reply(p, number, {status_code::unimplemented, outcome::not_executed, text, {}});
    return verdict::good;
  }
  if (answered) {
    call->origin = this;
    call->origin_session = p.session();
    call->origin_id = number;
    const std::uint32_t index = index_of(number);
    if (index >= p.calls.size()) p.calls.resize(std::max<std::size_t>(std::size_t{index} + 1, p.calls.size() * 2));
    // The sender has given up whatever had this index before.
    if (message* const old = std::exchange(p.calls[index].call, nullptr)) {
      old->origin = nullptr;
      receiver_.cancel(*old);
    }
    p.calls[index] = {call.get(), 0, 0};
  }
  receiver_.deliver(std::move(call));
  return verdict::good;
}

/// The message of a request, whose sizes have been looked at; null when there is no such method here.
message_ptr mesh::unpack(const request_head& head, std::string_view rest) {
  const actor_type* const type = types_.find(head.type_id);
  const auto method = type != nullptr ? type->find_method(head.method_id) : std::nullopt;
  if (!method) return {};
  const std::string_view key = take_bytes(rest, head.key_size);
  const std::string_view payload = take_bytes(rest, head.payload_size);
  const std::string_view chain = take_bytes(rest, head.chain_size);
  message_ptr call = messages_.make(key, payload, chain, rest);
  call->type = type;
  call->method = *method;
  call->epoch = head.epoch;
  call->depth = head.depth;
  call->one_way = head.one_way != 0;
  call->hash = head.hash;
  call->deadline =
      head.left_ns == no_deadline ? steady_time::max() : time_after(now_, std::chrono::nanoseconds{head.left_ns});
  return call;
}

mesh::verdict mesh::take_answer(peer& p, std::string_view body) {
  reply_head head;
  if (!take_head(body, head)) return verdict::malformed;
  const bool is_reply = head.common.kind == record_kind::reply;
  if (std::uint64_t{head.text_size} + head.payload_size != body.size() ||
      head.common.code > static_cast<std::uint8_t>(status_code::unauthenticated) ||
      head.common.outcome > static_cast<std::uint8_t>(outcome::unknown)) {
    return verdict::malformed;
  }
  pending_call* const entry = pending_->find(head.common.call, p.slot);
  if (entry == nullptr) return verdict::good;
  const std::string_view text = take_bytes(body, head.text_size);
  if (is_reply) {
    const message_ptr call = pending_->take(*entry);
    own_.metrics[metric::mesh_pending].set(pending_->size());
    call->state = message_state::answered;
    if (call->origin == nullptr) return verdict::good;
    call->origin->finish(*call, {static_cast<status_code>(head.common.code), static_cast<outcome>(head.common.outcome),
                                 text, payload_source{body}});
    return verdict::good;
  }
  entry->items_bytes += body.size();
  message& call = *entry->call;
  if (call.origin != nullptr) {
    call.origin->item(call, payload_source{body});
    if (call.origin == nullptr) cancel(call);
  }
  report_progress(head.common.call, p.slot);
  return verdict::good;
}

mesh::verdict mesh::take_note(peer& p, std::string_view body) {
  note_head head;
  if (!take_head(body, head) || !body.empty()) return verdict::malformed;
  if (head.common.kind == record_kind::emptied) {
    fail_calls_at(p, head.value, "the call was lost on its way to worker " + std::to_string(p.slot));
    return verdict::good;
  }
  auto* const at_work = p.find(head.common.call);
  if (at_work == nullptr) return verdict::good;
  if (head.common.kind == record_kind::cancel) {
    receiver_.cancel(*at_work->call);
  } else if (head.value <= at_work->items_bytes) {
    at_work->progress = head.value;
  }
  return verdict::good;
}

// A stream's client may read slower than its actor writes: the actor's side is told how far the client's side is.

void mesh::report_progress(std::uint64_t number, std::uint32_t slot) {
  pending_call* const entry = pending_->find(number, slot);
  if (entry == nullptr || entry->items_bytes - entry->progress < progress_step) return;
  const reply_sink* const origin = entry->call->origin;
  const std::uint64_t backlog = origin != nullptr ? origin->backlog_bytes(*entry->call) : 0;
  const std::uint64_t reached = entry->items_bytes - std::min(entry->items_bytes, backlog);
  if (reached >= entry->progress + progress_step) {
    entry->progress = reached;
    note(*peers_[slot], {record_kind::progress, 0, 0, 0, peers_[slot]->generation, number}, reached);
  }
  if (entry->items_bytes - entry->progress >= progress_step && !entry->watched) {
    entry->watched = true;
    slow_streams_.push_back({number, slot});
  }
}

void mesh::look_at_slow_streams() {
  looked_at_.swap(slow_streams_);
  for (const auto& [number, slot] : looked_at_) {
    pending_call* const entry = pending_->find(number, slot);
    if (entry == nullptr) continue;
    entry->watched = false;
    report_progress(number, slot);
  }
  looked_at_.clear();
}

// Damage and death.

void mesh::found_damaged(peer& p) {
  const std::uint64_t at = p.in.position();
  p.in.reset();
  ++p.faults;
  own_.metrics[metric::mesh_faults].add();
  log_.error("the ring from worker {} is damaged at position {}: dropped {} bytes (fault {} of this worker)", p.slot,
             at, p.in.position() - at, p.faults);
  // Answers may have been among what is lost, and so may have been calls: both sides start again.
  note(p, {record_kind::emptied, 0, 0, 0, p.generation, 0}, p.in.position());
  abandon_calls_from(p);
  fail_calls_at(p, p.out.ring().position(), "the answer was lost on its way from worker " + std::to_string(p.slot));
}

void mesh::fail_calls_at(peer& p, std::uint64_t up_to, std::string_view text) {
  // What was not published cannot have been seen.
  const std::uint64_t published = p.out.ring().published();
  std::uint32_t from = 0;
  for (;;) {
    const auto [call, position] = pending_->take_next(from, p.slot, up_to);
    if (!call) break;
    call->state = message_state::answered;
    if (call->origin == nullptr) continue;
    const outcome result = position <= published ? outcome::unknown : outcome::not_executed;
    call->origin->finish(*call, {status_code::unavailable, result, text, {}});
  }
  own_.metrics[metric::mesh_pending].set(pending_->size());
}

void mesh::abandon_calls_from(peer& p) {
  // One after the other: to give one up may end others, which then leave the table by finish().
  for (std::size_t i = 0; i < p.calls.size(); ++i) {
    message* const call = std::exchange(p.calls[i].call, nullptr);
    if (call == nullptr) continue;
    call->origin = nullptr;
    receiver_.cancel(*call);
  }
}

void mesh::observe_table() {
  table_version_ = segment_.table_version();
  for (const auto& p : peers_) {
    if (!p) continue;
    const auto generation = p->shared->generation.load(std::memory_order_acquire);
    const auto state = p->shared->state.load(std::memory_order_acquire);
    const bool was_there = p->state != worker_state::down;
    if (was_there && (generation != p->generation || state == worker_state::down)) lose(*p);
    p->generation = generation;
    p->state = state;
  }
}

void mesh::lose(peer& p) {
  GROVE_CHECK(!p.lost, "a worker's death is handled while it is being handled");
  p.lost = true;
  // What it published before it died counts: read that much, and not what its successor may add.
  const std::uint64_t left = p.in.published() - p.in.position();
  const std::uint64_t begin = p.in.position();
  while (p.in.position() - begin < left) {
    std::string_view body;
    // Damage is for the next read() to find, and a record of its successor's to take.
    if (p.in.peek(body) != ring_state::record || take(p, body) != verdict::good) break;
    p.in.consume();
  }
  p.in.release();
  fail_calls_at(p, ~std::uint64_t{0}, "worker " + std::to_string(p.slot) + " died while it had the call");
  report_lost_tells(p);
  p.out.discard();
  abandon_calls_from(p);
  p.lost = false;
}

void mesh::report_lost_tells(const peer& p) {
  const status why{status_code::unavailable, "worker " + std::to_string(p.slot) + " ended before it had read it"};
  std::uint64_t position = p.out.ring().released();
  for (;;) {
    std::string_view body = p.out.ring().record_at(position);
    if (body.empty()) return;
    request_head head;
    if (!take_head(body, head) || head.common.kind != record_kind::request || head.common.call != 0) continue;
    // What was for a process before it has been reported already, if the dead one had not come as far as to drop it.
    if (head.common.to_generation != p.generation) continue;
    if (message_ptr tell = unpack(head, body)) receiver_.refuse(std::move(tell), why);
  }
}

}  // namespace grove
