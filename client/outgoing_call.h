// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/clock.h"
#include "base/status.h"

namespace grove {

class connection;
class call_list;

/// How a call, or an attempt at it, ended. Lifetime: the views live until the callback returns.
struct call_end {
  status_code code = status_code::ok;
  std::string_view message;
  outcome result = outcome::unspecified;
  std::string_view payload;
};

/// One call on its way: what to send, and who waits. Whoever makes it owns it and keeps it, and what its views show, in
/// place until `on_end` was called or it was withdrawn; nothing is allocated for it on the way.
/// Affinity: the thread that runs the client's io_context.
class outgoing_call {
 public:
  outgoing_call() = default;
  outgoing_call(const outgoing_call&) = delete;
  outgoing_call& operator=(const outgoing_call&) = delete;

  std::string_view type;
  std::string_view key;
  std::string_view method;
  std::string_view payload;
  std::string_view idempotency_key;
  std::string_view metadata;  ///< Entries made by wire::append_metadata.
  /// What is left until then is sent along; with `steady_time::max()` nothing is, and the server's default counts: of
  /// a streaming method no end.
  steady_time deadline = steady_time::max();
  /// Somebody asked for that time, so a server that does not allow as much refuses it; what is only a default is cut to
  /// what the server allows.
  bool time_is_asked_for = true;
  bool one_way = false;
  bool streams = false;  ///< A streaming method, whose time the server does not limit.

 protected:
  virtual ~outgoing_call() {
    GROVE_DEBUG_CHECK(list_ == nullptr && connection_ == nullptr,
                      "a call goes that has neither ended nor been withdrawn");
  }

 private:
  friend class connection;
  friend class call_list;
  friend class router;

  /// An element of a streaming method's result.
  virtual void on_item(std::string_view item) = 0;
  /// The last thing that happens to the call; it may be destroyed or submitted again in here.
  virtual void on_end(const call_end& end) = 0;

  call_list* list_ = nullptr;      ///< Where it waits to be sent,
  outgoing_call* next_ = nullptr;  ///< with its neighbours there;
  outgoing_call* previous_ = nullptr;
  connection* connection_ = nullptr;  ///< or what it was sent on,
  std::uint32_t slot_ = 0;            ///< its place in that one's table,
  std::uint64_t frame_end_ = 0;       ///< and where its frame ends in that one's stream of bytes.
};

/// Calls that wait, first come first served; linked through the calls themselves.
class call_list {
 public:
  call_list() = default;
  call_list(const call_list&) = delete;
  call_list& operator=(const call_list&) = delete;

  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
  void push(outgoing_call& call) noexcept {
    GROVE_CHECK(call.list_ == nullptr, "a call waits in two lists");
    call.list_ = this;
    call.next_ = nullptr;
    call.previous_ = last_;
    (last_ != nullptr ? last_->next_ : first_) = &call;
    last_ = &call;
  }
  void remove(outgoing_call& call) noexcept {
    GROVE_CHECK(call.list_ == this, "a call is taken out of a list that it is not in");
    (call.previous_ != nullptr ? call.previous_->next_ : first_) = call.next_;
    (call.next_ != nullptr ? call.next_->previous_ : last_) = call.previous_;
    call.list_ = nullptr;
  }
  /// The first one, taken out; null when there is none.
  [[nodiscard]] outgoing_call* pop() noexcept {
    outgoing_call* call = first_;
    if (call != nullptr) remove(*call);
    return call;
  }
  /// Takes everything out of `other`, to the end of this one.
  void take(call_list& other) noexcept {
    while (outgoing_call* call = other.pop())
      push(*call);
  }

 private:
  outgoing_call* first_ = nullptr;
  outgoing_call* last_ = nullptr;
};

}  // namespace grove
