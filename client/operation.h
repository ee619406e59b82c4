// SPDX-License-Identifier: Apache-2.0
#pragma once

// A call as the client sees it: several attempts under one deadline. Header-only parts of `client`'s templates;
// nothing here is meant for its users.

#include <asio/associated_allocator.hpp>
#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/dispatch.hpp>
#include <asio/error.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <chrono>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "client/call.h"
#include "client/outgoing_call.h"
#include "proto/wire/envelope.h"

namespace grove::detail {

class client_core;

/// A timeout that means: as long as the server allows.
inline constexpr std::chrono::microseconds unlimited = std::chrono::microseconds::max();

class operation : public outgoing_call {
 public:
  std::chrono::microseconds timeout{0};
  bool retry = true;

 protected:
  ~operation() override = default;

 private:
  friend class client_core;
  friend class deadline_heap;

  /// The last thing that happens to the operation; it may destroy itself in here.
  virtual void finish(call_result&& result, bool cancelled) = 0;
  virtual void item(std::string_view bytes) = 0;
  /// `item` threw that, and the operation ends.
  virtual void item_threw(const std::exception_ptr&) noexcept {}

  void on_item(std::string_view bytes) final;
  void on_end(const call_end& end) final;

  client_core* core_ = nullptr;
  unsigned attempts_ = 0;
  bool had_items_ = false;
  bool* over_in_item_ = nullptr;  ///< While `item` runs: where to note that the operation has ended in there.
  bool pausing_ = false;          ///< Between two attempts.
  steady_time wake_at_{};         ///< When the deadline or the pause ends.
  std::size_t heap_index_ = 0;    ///< Its place among those that wake up; 0: none.
};

inline void append_encoded(const std::vector<std::pair<std::string, std::string>>& metadata, std::string& to) {
  for (const auto& [name, value] : metadata)
    wire::append_metadata(to, name, value);
}

/// What a request says, kept in one piece of memory.
class request_text {
 public:
  request_text(std::string_view type, std::string_view key, std::string_view method, std::string_view payload,
               const call_options& options)
      : sizes_{type.size(), key.size(), method.size(), payload.size(), options.idempotency_key.size()} {
    std::size_t bytes = type.size() + key.size() + method.size() + payload.size() + options.idempotency_key.size();
    for (const auto& [name, value] : options.metadata)
      bytes += name.size() + value.size() + metadata_overhead_max;
    bytes_.reserve(bytes);
    bytes_.append(type).append(key).append(method).append(payload).append(options.idempotency_key);
    append_encoded(options.metadata, bytes_);
  }
  void show_in(outgoing_call& call) const noexcept {
    std::string_view rest = bytes_;
    const auto next = [&rest](std::size_t size) {
      const std::string_view part = rest.substr(0, size);
      rest.remove_prefix(size);
      return part;
    };
    call.type = next(sizes_[0]);
    call.key = next(sizes_[1]);
    call.method = next(sizes_[2]);
    call.payload = next(sizes_[3]);
    call.idempotency_key = next(sizes_[4]);
    call.metadata = rest;
  }

 private:
  /// What an entry takes up beside its bytes: the tags and sizes of entry, name and value.
  static constexpr std::size_t metadata_overhead_max = 3 * (1 + 5);

  std::string bytes_;
  std::size_t sizes_[5];
};

/// How another party cancels an operation that may be over by then. Touched in the loop only.
struct cancel_anchor {
  operation* target = nullptr;
};

struct no_items {
  void operator()(std::string_view) const noexcept {}
};

/// An operation that ends in an Asio completion handler.
template <class Handler, class OnItem>
class handler_operation final : public operation {
 public:
  using executor_type = asio::associated_executor_t<Handler, asio::io_context::executor_type>;
  using allocator_type =
      typename std::allocator_traits<asio::associated_allocator_t<Handler>>::template rebind_alloc<handler_operation>;

  [[nodiscard]] static handler_operation* make(Handler&& handler, OnItem&& on_item, request_text&& text,
                                               asio::io_context& io) {
    allocator_type allocator{asio::get_associated_allocator(handler)};
    handler_operation* place = std::allocator_traits<allocator_type>::allocate(allocator, 1);
    try {
      return new (place) handler_operation(std::move(handler), std::move(on_item), std::move(text), io);
    } catch (...) {
      std::allocator_traits<allocator_type>::deallocate(allocator, place, 1);
      throw;
    }
  }

  std::shared_ptr<cancel_anchor> anchor;
  /// While the operation is being initiated, when a handler must not run: where to note that it is over already.
  bool* over_in_initiation = nullptr;

 private:
  handler_operation(Handler&& handler, OnItem&& on_item, request_text&& text, asio::io_context& io)
      : handler_{std::move(handler)},
        on_item_{std::move(on_item)},
        text_{std::move(text)},
        work_{asio::get_associated_executor(handler_, io.get_executor())} {
    text_.show_in(*this);
  }
  ~handler_operation() override = default;

  void item(std::string_view bytes) override { on_item_(bytes); }

  void finish(call_result&& result, bool was_cancelled) override {
    const bool cancellable = anchor != nullptr;
    if (cancellable) anchor->target = nullptr;
    allocator_type allocator{asio::get_associated_allocator(handler_)};
    auto complete = [handler = std::move(handler_), result = std::move(result), was_cancelled, cancellable]() mutable {
      // Here, because the slot belongs to the handler's executor.
      if (cancellable) asio::get_associated_cancellation_slot(handler).clear();
      const asio::error_code error =
          was_cancelled ? asio::error_code{asio::error::operation_aborted} : asio::error_code{};
      std::move(handler)(error, std::move(result));
    };
    const bool now = over_in_initiation == nullptr;
    if (!now) *over_in_initiation = true;
    auto work = std::move(work_);
    const auto executor = work.get_executor();
    this->~handler_operation();
    std::allocator_traits<allocator_type>::deallocate(allocator, this, 1);
    if (now) {
      asio::dispatch(executor, std::move(complete));
    } else {
      asio::post(executor, std::move(complete));
    }
  }

  Handler handler_;
  OnItem on_item_;
  request_text text_;
  asio::executor_work_guard<executor_type> work_;
};

}  // namespace grove::detail
