// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "grove/v1/builtin.actor.h"

namespace grove::builtin {

class TopicActor final : public v1::Topic::Actor {
 public:
  v1::TopicPublishResponse Publish(const v1::TopicPublishRequest& request) override;
  void Subscribe(const v1::TopicSubscribeRequest& request, stream<v1::TopicItem> items) override;

 protected:
  void on_stream_closed() override;

 private:
  std::vector<stream<v1::TopicItem>> subscribers_;
  std::uint64_t published_ = 0;
};

}  // namespace grove::builtin
