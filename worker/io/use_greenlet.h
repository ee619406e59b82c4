// SPDX-License-Identifier: Apache-2.0
#pragma once

// The Asio completion token with which a greenlet calls an asynchronous operation as if it blocked:
//
//   std::size_t n = asio::async_read(socket, buffer, grove::use_greenlet);
//   std::size_t n = socket.async_read_some(buffer, grove::use_greenlet[error]);
//
// - Only the calling greenlet waits. An error_code is thrown as std::system_error, or stored with `[error]`; what
//   follows it is returned: nothing, the value, or a std::tuple of the values.
// - The operation borrows buffers from the caller's stack, so the call returns only when the operation has completed.
//   An interrupt (kill, timeout, turn's deadline) is passed to the operation through its cancellation slot; when it
//   has completed the exception is thrown. An operation that has succeeded all the same returns its result, and the
//   exception stays pending for the next wait: neither is lost.
// - A signature that begins with neither an error_code nor an exception_ptr completes without failing: all is returned.
//   as_tuple() is looked into, so that an interrupt ends an operation as it does without it. An error that redirect_error()
//   takes away is not seen: the interrupt then stays pending, and a with_timeout() around it is over without it.
//   `use_greenlet[error]` is for that.
// - Nothing is allocated as long as the operation's own state fits into the room in the caller's frame.
// - With less than stack_low_mark of the caller's stack left, nothing is begun and stack_low is thrown.
// - An I/O object that is closed while a greenlet waits on it ends the wait with operation_aborted.
// - In a sliced greenlet nothing that an operation uses while it is under way may lie on the stack: buffers, the arguments
//   of an async_compose'd implementation, and the objects into which Asio keeps pointers, which are its timers and
//   ssl::stream. Put them into an off_stack. (The operation's own state is in one.)
//
// It works with every operation of the hub's io_context. What is to be known of some:
// - stream_file and random_access_file: Asio has them with io_uring alone, which is not compiled in. call_in_thread()
//   is for files.
// - Operations of another io_context than the hub's would complete in whatever thread runs that: not allowed.
// - Operations that do not listen to their cancellation slot (async_resolve is one) are waited for to their end, by a
//   killed greenlet too, and abort the process if the greenlet is dropped. resolve.h can be interrupted.
// - signal_set leaves the default disposition behind, and keeps a join of the loop waiting; signals.h does neither.
// - A TLS stream that was interrupted within an operation has lost its place: it can only be closed.

#include <asio/associated_allocator.hpp>
#include <asio/associated_cancellation_slot.hpp>
#include <asio/async_result.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/error_code.hpp>
#include <cstddef>
#include <exception>
#include <new>
#include <optional>
#include <system_error>
#include <tuple>
#include <type_traits>
#include <utility>

#include "base/check.h"
#include "worker/greenlet/check_stack.h"
#include "worker/greenlet/off_stack.h"
#include "worker/hub/hub.h"
#include "worker/hub/waiter.h"

namespace grove {

struct use_greenlet_t {
  asio::error_code* stored_in = nullptr;
  /// The error goes into `error` instead of being thrown.
  [[nodiscard]] constexpr use_greenlet_t operator[](asio::error_code& error) const noexcept { return {&error}; }
};
inline constexpr use_greenlet_t use_greenlet{};

namespace io::detail {

/// What an operation allocates for itself, from the frame of the greenlet that called it.
class operation_room {
 public:
  void* allocate(std::size_t bytes) {
    if (told_ != nullptr) told_->wake();
    if (in_use_ || bytes > sizeof(bytes_)) return ::operator new(bytes);
    in_use_ = true;
    return bytes_;
  }
  void deallocate(void* memory) noexcept {
    if (memory == bytes_)
      in_use_ = false;
    else
      ::operator delete(memory);
  }
  /// Wakes `told` when something is allocated: a composed operation begins another step. Null: nobody.
  void tell(waiter* told) noexcept { told_ = told; }

 private:
  alignas(std::max_align_t) std::byte bytes_[512];
  bool in_use_ = false;
  waiter* told_ = nullptr;
};

template <typename T>
struct room_allocator {
  using value_type = T;
  operation_room* room;
  explicit room_allocator(operation_room& in) noexcept : room(&in) {}
  template <typename U>
  room_allocator(const room_allocator<U>& other) noexcept : room(other.room) {}  // NOLINT(google-explicit-constructor)
  T* allocate(std::size_t count) { return static_cast<T*>(room->allocate(count * sizeof(T))); }
  void deallocate(T* memory, std::size_t) noexcept { room->deallocate(memory); }
  template <typename U>
  bool operator==(const room_allocator<U>& other) const noexcept {
    return room == other.room;
  }
};

/// One operation under way; on the stack of the greenlet that called it.
class operation {
 public:
  explicit operation(hub& on) noexcept : hub_(on), waiter_(on) {}
  /// Never leaves a borrowed buffer behind: an operation that is still under way is cancelled and its completion run.
  ~operation();
  operation(const operation&) = delete;
  operation& operator=(const operation&) = delete;

  /// Returns when the operation has completed.
  void await();
  /// After await(): throws what interrupted it, unless the operation has `succeeded`.
  void settle(bool succeeded);

  void completed() noexcept {
    GROVE_DEBUG_CHECK(!done_, "an operation completes twice");
    done_ = true;
    waiter_.wake();
  }
  void begun() noexcept { under_way_ = true; }

  asio::cancellation_signal cancellation;
  operation_room room;

 private:
  hub& hub_;
  waiter waiter_;
  bool under_way_ = false;
  bool done_ = false;
  bool interrupted_ = false;
};

template <typename... Values>
struct result_of {
  using stored = std::tuple<Values...>;
  using returned = stored;
  static returned give(stored&& values) { return std::move(values); }
};
template <typename Value>
struct result_of<Value> {
  using stored = std::tuple<Value>;
  using returned = Value;
  static returned give(stored&& values) { return std::get<0>(std::move(values)); }
};
template <>
struct result_of<> {
  using stored = std::tuple<>;
  using returned = void;
  static void give(stored&&) {}
};

/// What as_tuple() has put into the values in place of a failure of the operation.
template <typename Value>
constexpr bool tells_failure(const Value&) noexcept {
  return false;
}
template <typename... Inner>
bool tells_failure(const std::tuple<asio::error_code, Inner...>& value) noexcept {
  return static_cast<bool>(std::get<0>(value));
}
template <typename... Inner>
bool tells_failure(const std::tuple<std::exception_ptr, Inner...>& value) noexcept {
  return std::get<0>(value) != nullptr;
}

template <typename... Values>
struct operation_outcome {
  explicit operation_outcome(hub& on) : under_way(on) {}
  [[nodiscard]] bool succeeded() const noexcept {
    if (error || thrown) return false;
    if constexpr (sizeof...(Values) > 0) {
      return !tells_failure(std::get<0>(*values));
    } else {
      return true;
    }
  }
  operation under_way;
  asio::error_code error;
  std::exception_ptr thrown;
  std::optional<std::tuple<Values...>> values;
};

/// The handler: completes the outcome that the greenlet waits for. `Failure` is what the signature begins with.
template <typename Failure, typename... Values>
class completion {
 public:
  using allocator_type = room_allocator<void>;
  using cancellation_slot_type = asio::cancellation_slot;

  explicit completion(operation_outcome<Values...>& into) noexcept : outcome_(&into) {}
  [[nodiscard]] allocator_type get_allocator() const noexcept { return allocator_type(outcome_->under_way.room); }
  [[nodiscard]] cancellation_slot_type get_cancellation_slot() const noexcept {
    return outcome_->under_way.cancellation.slot();
  }

  template <typename... Given>
  void operator()(Given&&... given) {
    if constexpr (std::is_void_v<Failure>) {
      outcome_->values.emplace(std::forward<Given>(given)...);
    } else {
      take(std::forward<Given>(given)...);
    }
    outcome_->under_way.completed();
  }

 private:
  template <typename Given, typename... Others>
  void take(const Given& failure, Others&&... others) {
    if constexpr (std::is_same_v<Failure, std::exception_ptr>) {
      outcome_->thrown = failure;
    } else {
      outcome_->error = failure;
    }
    outcome_->values.emplace(std::forward<Others>(others)...);
  }

  operation_outcome<Values...>* outcome_;
};

template <typename Failure, typename... Values, typename Initiation, typename... Args>
auto call_in_greenlet(use_greenlet_t token, Initiation&& initiation, Args&&... args) {
  check_stack();
  const off_stack<operation_outcome<Values...>> kept(hub::current());
  operation_outcome<Values...>& outcome = *kept;
  std::forward<Initiation>(initiation)(completion<Failure, Values...>(outcome), std::forward<Args>(args)...);
  outcome.under_way.begun();
  outcome.under_way.await();
  outcome.under_way.settle(outcome.succeeded());
  if (outcome.thrown) std::rethrow_exception(outcome.thrown);
  if (token.stored_in != nullptr)
    *token.stored_in = outcome.error;
  else if (outcome.error)
    throw std::system_error(outcome.error);
  return result_of<Values...>::give(std::move(*outcome.values));
}

}  // namespace io::detail
}  // namespace grove

namespace asio {

template <typename Result, typename... Values>
class async_result<grove::use_greenlet_t, Result(Values...)> {
 public:
  using return_type = typename grove::io::detail::result_of<std::decay_t<Values>...>::returned;
  template <typename Initiation, typename... Args>
  static return_type initiate(Initiation&& initiation, grove::use_greenlet_t token, Args&&... args) {
    return grove::io::detail::call_in_greenlet<void, std::decay_t<Values>...>(
        token, std::forward<Initiation>(initiation), std::forward<Args>(args)...);
  }
};

template <typename Result, typename... Values>
class async_result<grove::use_greenlet_t, Result(asio::error_code, Values...)> {
 public:
  using return_type = typename grove::io::detail::result_of<std::decay_t<Values>...>::returned;
  template <typename Initiation, typename... Args>
  static return_type initiate(Initiation&& initiation, grove::use_greenlet_t token, Args&&... args) {
    return grove::io::detail::call_in_greenlet<asio::error_code, std::decay_t<Values>...>(
        token, std::forward<Initiation>(initiation), std::forward<Args>(args)...);
  }
};

template <typename Result, typename... Values>
class async_result<grove::use_greenlet_t, Result(std::exception_ptr, Values...)> {
 public:
  using return_type = typename grove::io::detail::result_of<std::decay_t<Values>...>::returned;
  template <typename Initiation, typename... Args>
  static return_type initiate(Initiation&& initiation, grove::use_greenlet_t token, Args&&... args) {
    return grove::io::detail::call_in_greenlet<std::exception_ptr, std::decay_t<Values>...>(
        token, std::forward<Initiation>(initiation), std::forward<Args>(args)...);
  }
};

}  // namespace asio
