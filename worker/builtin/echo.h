// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "grove/v1/builtin.actor.h"

namespace grove::builtin {

class EchoActor final : public v1::Echo::Actor {
 public:
  v1::EchoResponse Echo(const v1::EchoRequest& request) const override;
  v1::EchoSleepResponse Sleep(const v1::EchoSleepRequest& request) const override;
  v1::EchoSpinResponse Spin(const v1::EchoSpinRequest& request) const override;
};

}  // namespace grove::builtin
