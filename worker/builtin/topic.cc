// SPDX-License-Identifier: Apache-2.0
#include "worker/builtin/topic.h"

#include <utility>

namespace grove::builtin {

v1::TopicPublishResponse TopicActor::Publish(const v1::TopicPublishRequest& request) {
  on_stream_closed();
  v1::TopicItem item;
  item.set_sequence(published_ + 1);
  item.set_text(request.text());
  for (auto& subscriber : subscribers_)
    subscriber.write(item);
  ++published_;  // No step throws from here on, and what was written leaves: no number is missing for a reader.
  v1::TopicPublishResponse response;
  response.set_subscribers(static_cast<std::uint32_t>(subscribers_.size()));
  return response;
}

void TopicActor::Subscribe(const v1::TopicSubscribeRequest&, stream<v1::TopicItem> items) {
  subscribers_.push_back(std::move(items));
}

void TopicActor::on_stream_closed() {
  std::erase_if(subscribers_, [](const auto& subscriber) { return subscriber.closed(); });
}

}  // namespace grove::builtin
