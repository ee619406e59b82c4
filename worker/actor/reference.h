// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/hash.h"
#include "base/text.h"
#include "worker/actor/calls.h"
#include "worker/actor/runtime.h"
#include "worker/greenlet/off_stack.h"

namespace grove {

/// The address of an actor as another one calls it: what generated references are made of. The type and the hash of the
/// address are found once, when it is made. A request that the callee can use as it is, because both were compiled with
/// the same class and live in one worker, is handed over as an object: copied, or moved where the author moves it.
/// Affinity: the worker's hub thread. Lifetime: the runtime is borrowed.
class actor_reference {
 public:
  actor_reference(runtime& owner, std::uint64_t type_id, std::string_view type_name, std::string key)
      : owner_{&owner},
        type_{owner.find_hosted(type_id)},
        type_name_{type_name},
        key_{std::move(key)},
        hash_{hash_of_address(type_id, key_)},
        is_good_{key_.size() <= owner.bounds().key_bytes_max && is_utf8(key_)} {}

  [[nodiscard]] const std::string& key() const noexcept { return key_; }

  /// See local_calls::await.
  template <class Response, class Request>
  [[nodiscard]] Response call(const method_key& method, Request&& request, const actor_call_options& options) const {
    local_calls& calls = owner_->calls();
    auto made = prepare(calls, method, std::forward<Request>(request), true);
    const off_stack<awaited<Response>> waits{owner_->on()};
    waits->caller.hands_over = made.response == &Response::default_instance();
    calls.await(std::move(made.sent), waits->caller, options);
    return std::move(waits->response);
  }

  /// See local_calls::tell.
  template <class Request>
  void tell(const method_key& method, Request&& request) const {
    local_calls& calls = owner_->calls();
    calls.tell(prepare(calls, method, std::forward<Request>(request), false).sent);
  }

 private:
  template <class Response>
  struct awaited {
    explicit awaited(hub& on) noexcept : caller{on, response, &take} {}
    static void take(google::protobuf::MessageLite& into, google::protobuf::MessageLite& from) {
      static_cast<Response&>(into) = std::move(static_cast<Response&>(from));
    }
    Response response;
    waiting_caller caller;
  };

  template <class Request>
  [[nodiscard]] local_calls::prepared prepare(local_calls& calls, const method_key& method, Request&& request,
                                              bool waits) const {
    using request_type = std::remove_cvref_t<Request>;
    auto made = calls.prepare({type_, type_name_, key_, hash_, is_good_}, method, request,
                              request_type::default_instance(), waits);
    if (made.to_fill == nullptr) return made;
    auto& object = static_cast<request_type&>(*made.to_fill);
    if constexpr (std::is_lvalue_reference_v<Request>) {
      object.CopyFrom(request);
    } else {
      object.Clear();  // The author gets what was in it.
      object = std::forward<Request>(request);
    }
    made.sent->object_is_filled();
    return made;
  }

  runtime* owner_;
  hosted_type* type_;
  std::string_view type_name_;
  std::string key_;
  std::uint64_t hash_;
  bool is_good_;  // The key: what is wrong with it is said when it is used.
};

}  // namespace grove
