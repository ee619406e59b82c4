// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "worker/greenlet/unique_function.h"
#include "worker/hub/timer.h"

namespace grove {

/// A timer that calls a function, which may arm it again.
class callback_timer final : public hub_timer {
 public:
  explicit callback_timer(unique_function<void()> call) : call_{std::move(call)} {}
  ~callback_timer() override = default;

 private:
  void expired() override { call_(); }

  unique_function<void()> call_;
};

}  // namespace grove
