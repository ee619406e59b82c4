// SPDX-License-Identifier: Apache-2.0
#pragma once

// Calls to the actors of a server.
//
//   grove::client client;                                     // 127.0.0.1:7400, with a thread of its own
//   auto result = client.call("grove.Counter", "visits", "Get", "");
//
//   grove::client client{io};                                 // on the caller's io_context
//   auto result = co_await client.async_call("grove.Counter", "visits", "Get", "", options, asio::use_awaitable);
//
// Calls share one connection to each worker. A call that certainly did not run is tried again (client/retry.h), a lost
// connection is opened again, and every call ends within its timeout. A call that asks for more time than the server
// allows (server_info::call_time_max) is refused by name; a stream may ask for any time.

#include <asio/associated_cancellation_slot.hpp>
#include <asio/async_result.hpp>
#include <asio/dispatch.hpp>
#include <asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "client/address.h"
#include "client/call.h"
#include "client/connection.h"
#include "client/operation.h"
#include "client/retry.h"

namespace grove {

struct client_options {
  /// Where the server is: alternatives, tried in this order until one answers.
  std::vector<server_address> servers{server_address{}};
  /// Of a call that does not say; where the server allows less, that is what it sends.
  std::chrono::milliseconds call_timeout{30'000};
  /// Calls without a result; one more ends as RESOURCE_EXHAUSTED, not executed.
  std::size_t unfinished_calls_max = 65'536;
  connection_options connection;
  retry_options retry;
  /// Gets what a handler throws on the client's own thread, where nobody else can catch it, and the thread goes on;
  /// empty: a line on stderr. On the caller's io_context it leaves run(), and the client stays whole.
  std::function<void(const std::exception_ptr&)> on_handler_error;
  /// Of the jitter; 0: from the system.
  std::uint64_t seed = 0;
};

/// Affinity: with a thread of its own, any thread but that. On the caller's io_context, which one thread runs: the
/// `async_` functions any thread, the blocking ones any but that one, construction and destruction that one. A handler
/// runs on its associated executor; one that has none, a greenlet's too, runs in the client's loop, so that a greenlet
/// needs a client on its own hub's loop.
class client {
 public:
  /// Runs on a thread of its own.
  explicit client(client_options options = {});
  /// Runs on `io`. Lifetime: `io` outlives the client.
  explicit client(asio::io_context& io, client_options options = {});
  /// Every call that is under way ends as CANCELLED.
  ~client();
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  /// Waits until a server has welcomed this client. Calls do that by themselves; this tells whether one is there.
  [[nodiscard]] status connect();

  /// What the server said at hello: its workers, its limits. Nothing before the first connection.
  [[nodiscard]] std::optional<server_info> info();

  /// Calls a method and waits for its result.
  [[nodiscard]] call_result call(std::string_view type, std::string_view key, std::string_view method,
                                 std::string_view payload, const call_options& options = {});

  /// Sends a message and waits until it is in the actor's mailbox, not until it was handled.
  [[nodiscard]] call_result tell(std::string_view type, std::string_view key, std::string_view method,
                                 std::string_view payload, const call_options& options = {});

  /// Calls a streaming method and waits for its end. `on_item` gets each element, in the client's loop, and says
  /// whether to go on; while it runs nothing else is read. Without a timeout in `options` it lasts as long as the
  /// server allows. What `on_item` throws ends the call and is thrown here.
  [[nodiscard]] call_result watch(std::string_view type, std::string_view key, std::string_view method,
                                  std::string_view payload, const std::function<bool(std::string_view)>& on_item,
                                  const call_options& options = {});

  /// Calls a method. The handler gets void(asio::error_code, call_result): the error is operation_aborted when the
  /// call was cancelled through the handler's cancellation slot, else none, and the result says how the call ended.
  /// Cancel: the caller's interest ends at once, and the server is asked to give the call up.
  template <class CompletionToken>
  auto async_call(std::string_view type, std::string_view key, std::string_view method, std::string_view payload,
                  const call_options& options, CompletionToken&& token) {
    return initiate(detail::no_items{}, kind::call, type, key, method, payload, options,
                    std::forward<CompletionToken>(token));
  }

  /// As `tell`, with a completion token as `async_call`.
  template <class CompletionToken>
  auto async_tell(std::string_view type, std::string_view key, std::string_view method, std::string_view payload,
                  const call_options& options, CompletionToken&& token) {
    return initiate(detail::no_items{}, kind::tell, type, key, method, payload, options,
                    std::forward<CompletionToken>(token));
  }

  /// Calls a streaming method. `on_item(std::string_view)` gets each element, in the client's loop. One that throws ends
  /// the call: CANCELLED, with the text of what it threw.
  template <class OnItem, class CompletionToken>
  auto async_watch(std::string_view type, std::string_view key, std::string_view method, std::string_view payload,
                   OnItem on_item, const call_options& options, CompletionToken&& token) {
    return initiate(std::move(on_item), kind::watch, type, key, method, payload, options,
                    std::forward<CompletionToken>(token));
  }

  /// `call` with protobuf messages, for generated clients.
  /// Errors: throws call_error when the call failed.
  template <class Response, class Request>
  [[nodiscard]] Response call_typed(std::string_view type, std::string_view key, std::string_view method,
                                    const Request& request, const call_options& options = {}) {
    call_result result = call(type, key, method, request.SerializeAsString(), options);
    if (!result.ok()) throw call_error{result.status, result.outcome};
    return parsed<Response>(result.payload);
  }

  /// `tell` with a protobuf message.
  /// Errors: throws call_error when the message did not get into the mailbox.
  template <class Request>
  void tell_typed(std::string_view type, std::string_view key, std::string_view method, const Request& request,
                  const call_options& options = {}) {
    const call_result result = tell(type, key, method, request.SerializeAsString(), options);
    if (!result.ok()) throw call_error{result.status, result.outcome};
  }

  /// `watch` with protobuf messages: `on_item(const Response&)` returns whether to go on. Returns when the stream has
  /// ended or `on_item` wanted no more.
  /// Errors: throws call_error when the stream failed, and what `on_item` throws.
  template <class Response, class Request, class OnItem>
  void watch_typed(std::string_view type, std::string_view key, std::string_view method, const Request& request,
                   OnItem on_item, const call_options& options = {}) {
    bool stopped = false;
    const call_result result = watch(
        type, key, method, request.SerializeAsString(),
        [&on_item, &stopped](std::string_view bytes) {
          Response item;
          stopped = !item.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) || !on_item(std::as_const(item));
          return !stopped;
        },
        options);
    if (!result.ok() && !stopped) throw call_error{result.status, result.outcome};
  }

 private:
  enum class kind : std::uint8_t { call, tell, watch };
  class own_loop;
  class blocking_operation;

  template <class Response>
  [[nodiscard]] static Response parsed(const std::string& payload) {
    Response response;
    if (!response.ParseFromString(payload)) {
      throw call_error{{status_code::internal, "the response is no encoding of its message"}, outcome::executed};
    }
    return response;
  }

  template <class OnItem, class CompletionToken>
  auto initiate(OnItem on_item, kind what, std::string_view type, std::string_view key, std::string_view method,
                std::string_view payload, const call_options& options, CompletionToken&& token) {
    return asio::async_initiate<CompletionToken, void(asio::error_code, call_result)>(
        [this, what, timeout = options.timeout, retry = options.retry](auto handler, OnItem items,
                                                                       detail::request_text text) {
          using handler_type = std::decay_t<decltype(handler)>;
          using made_operation = detail::handler_operation<handler_type, OnItem>;
          auto slot = asio::get_associated_cancellation_slot(handler);
          made_operation* op = made_operation::make(std::move(handler), std::move(items), std::move(text), loop());
          prepare(*op, what, timeout, retry);
          if (slot.is_connected()) {
            op->anchor = std::make_shared<detail::cancel_anchor>(detail::cancel_anchor{op});
            slot.assign([core = core_, anchor = op->anchor](asio::cancellation_type) { cancel_in_loop(core, anchor); });
          }
          if (in_loop()) {
            bool over = false;
            op->over_in_initiation = &over;
            submit_now(*op);
            if (!over) op->over_in_initiation = nullptr;
          } else {
            submit_soon(*op);
          }
        },
        token, std::move(on_item), detail::request_text{type, key, method, payload, options});
  }

  [[nodiscard]] asio::io_context& loop() noexcept;
  [[nodiscard]] bool in_loop() noexcept;
  void prepare(detail::operation& op, kind what, std::chrono::microseconds timeout, bool retry) const noexcept;
  void submit_now(detail::operation& op);
  void submit_soon(detail::operation& op);
  static void cancel_in_loop(const std::shared_ptr<detail::client_core>& core,
                             const std::shared_ptr<detail::cancel_anchor>& anchor);
  [[nodiscard]] call_result wait_for(kind what, std::string_view type, std::string_view key, std::string_view method,
                                     std::string_view payload, const std::function<bool(std::string_view)>* on_item,
                                     const call_options& options);

  std::unique_ptr<own_loop> own_;
  std::shared_ptr<detail::client_core> core_;
};

}  // namespace grove
