// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "grove/v1/builtin.actor.h"

namespace grove::builtin {

class CounterActor final : public v1::Counter::Actor {
 public:
  v1::CounterValue Add(const v1::CounterAddRequest& request) override;
  v1::CounterValue Get(const v1::CounterGetRequest& request) const override;
  v1::CounterValue Reset(const v1::CounterResetRequest& request) override;
};

}  // namespace grove::builtin
