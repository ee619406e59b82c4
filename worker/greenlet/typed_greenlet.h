// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <utility>

#include "worker/greenlet/greenlet.h"

namespace grove {

template <typename Signature>
class typed_greenlet;

/// A counted handle of a greenlet that gets In... at every switch and passes an Out back: switch_for() with the types
/// written down once. The other side of the exchange is a typed_greenlet<In(Out)> of the partner.
template <typename Out, typename... In>
class typed_greenlet<Out(In...)> {
 public:
  typed_greenlet() noexcept = default;
  explicit typed_greenlet(greenlet_ptr target) noexcept : target_(std::move(target)) {}
  explicit typed_greenlet(greenlet& target) noexcept : target_(&target) {}

  /// As greenlet::make(); `run` gets the objects of the first switch, and the last Out is what it returns.
  template <std::invocable<In...> F>
  [[nodiscard]] static typed_greenlet make(F&& run, greenlet_options options = {}) {
    return typed_greenlet(
        greenlet::make([run = std::forward<F>(run)](In... in) mutable { return run(std::move(in)...); }, options));
  }

  /// Errors: as greenlet::switch_for().
  Out operator()(In... in) const { return target_->template switch_for<Out>(std::move(in)...); }

  [[nodiscard]] const greenlet_ptr& handle() const noexcept { return target_; }
  [[nodiscard]] greenlet* operator->() const noexcept { return target_.get(); }
  [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(target_); }

 private:
  greenlet_ptr target_;
};

}  // namespace grove
