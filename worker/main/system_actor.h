// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.h"
#include "base/process/shared_segment.h"
#include "grove/v1/system.actor.h"
#include "worker/actor/actor_type.h"

namespace grove {

/// What the server tells about itself: grove.System.
class SystemActor final : public v1::System::Actor {
 public:
  SystemActor(const actor_types& types, const shared_segment& segment, const std::uint32_t& own_slot,
              const clock& time) noexcept
      : types_{types}, segment_{segment}, own_slot_{own_slot}, time_{time} {}

  v1::SystemTypesResponse Types(const v1::SystemTypesRequest& request) const override;
  v1::SystemDescribeResponse Describe(const v1::SystemDescribeRequest& request) const override;
  v1::SystemWorkersResponse Workers(const v1::SystemWorkersRequest& request) const override;

 private:
  const actor_types& types_;
  const shared_segment& segment_;
  const std::uint32_t own_slot_;
  const clock& time_;
};

}  // namespace grove
