// SPDX-License-Identifier: Apache-2.0
#include "worker/gate/call_table.h"

#include <utility>

#include "base/check.h"
#include "worker/actor/actor_type.h"

namespace grove {

void call_count::ended() {
  GROVE_CHECK(unfinished_ > 0, "more calls ended than began");
  if (--unfinished_ == 0 && done_) std::exchange(done_, nullptr)();
}

void call_count::when_none(std::function<void()> done) {
  GROVE_CHECK(!done_, "two wait for the last call of a gate");
  if (unfinished_ == 0) return done();
  done_ = std::move(done);
}

bool is_stream(const message& call) {
  return call.type->methods()[call.method].streaming;
}

call_table::~call_table() {
  GROVE_CHECK(first_ == nullptr, "a connection has gone, and its calls have not been detached");
}

void call_table::begin(message& call, std::uint64_t id, reply_sink& origin) noexcept {
  GROVE_CHECK(call.origin == nullptr, "a call begins in a table and has an origin already");
  call.origin = &origin;
  call.origin_session = connection_;
  call.origin_id = id;
  call.previous_call = nullptr;
  call.next_call = first_;
  if (first_ != nullptr) first_->previous_call = &call;
  first_ = &call;
  ++size_;
  count_.began();
}

message* call_table::find(std::uint64_t id) const noexcept {
  message* call = first_;
  while (call != nullptr && call->origin_id != id)
    call = call->next_call;
  return call;
}

void call_table::end(message& call) {
  GROVE_CHECK(call.origin_session == connection_ && call.origin != nullptr, "a call ends that is not of this table");
  (call.previous_call == nullptr ? first_ : call.previous_call->next_call) = call.next_call;
  if (call.next_call != nullptr) call.next_call->previous_call = call.previous_call;
  call.previous_call = call.next_call = nullptr;
  call.origin = nullptr;
  GROVE_CHECK(size_ > 0, "more calls of a connection end than began");
  --size_;
  count_.ended();
}

message* call_table::detach_one() {
  message* const call = first_;
  if (call != nullptr) end(*call);
  return call;
}

std::vector<std::uint64_t> call_table::streams() const {
  std::vector<std::uint64_t> ids;
  for (const message* call = first_; call != nullptr; call = call->next_call) {
    if (is_stream(*call)) ids.push_back(call->origin_id);
  }
  return ids;
}

}  // namespace grove
