// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "worker/greenlet/callback_function.h"
#include "worker/hub/timer.h"

namespace grove {

/// A timer that calls a function, which may take the timer, and may arm it again.
class callback_timer final : public hub_timer {
 public:
  explicit callback_timer(callback_function<void(callback_timer&)> call) : call_{std::move(call)} {}
  ~callback_timer() override = default;

 private:
  void expired() override { call_(*this); }

  callback_function<void(callback_timer&)> call_;
};

}  // namespace grove
