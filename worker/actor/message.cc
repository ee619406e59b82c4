// SPDX-License-Identifier: Apache-2.0
#include "worker/actor/message.h"

#include <bit>
#include <cstring>
#include <new>
#include <utility>

#include "base/check.h"
#include "worker/actor/message_scratch.h"

namespace grove {

google::protobuf::Message& message::take_object(message_objects& home, const google::protobuf::Message& prototype) {
  GROVE_CHECK(object_ == nullptr, "a message gets a second object for its request");
  object_ = message_scratch::take(home, prototype);
  object_home_ = &home;
  return *object_;
}

char* message::write_body(char* place) const {
  const auto put = [&place](std::string_view part) {
    if (!part.empty()) std::memcpy(place, part.data(), part.size());
    place += part.size();
  };
  put(key());
  if (object_ != nullptr) {
    const auto* const end = object_->SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(place));
    place += request_size;
    GROVE_CHECK(reinterpret_cast<const char*>(end) == place, "a request has changed since it was filled in");
  } else {
    put(payload());
  }
  put(chain());
  put(metadata());
  return place;
}

void message_release::operator()(message* m) const noexcept {
  m->pool_->release(m);
}

message_pool::~message_pool() {
  GROVE_CHECK(in_use_ == 0, "messages outlive their pool");
  for (message* head : free_) {
    while (head != nullptr) {
      message* const next = head->next;
      head->~message();
      ::operator delete(head);
      head = next;
    }
  }
}

message_ptr message_pool::make(std::string_view key, std::string_view payload, std::string_view chain,
                               std::string_view metadata) {
  message_ptr m = make_blank(key, payload.size(), chain.size(), metadata.size());
  const auto put = [](char* place, std::string_view part) {
    if (!part.empty()) std::memcpy(place, part.data(), part.size());
  };
  put(m->payload_place(), payload);
  put(m->chain_place(), chain);
  put(m->chain_place() + chain.size(), metadata);
  return m;
}

message_ptr message_pool::make_blank(std::string_view key, std::size_t payload_size, std::size_t chain_size,
                                     std::size_t metadata_size) {
  const std::size_t size = key.size() + payload_size + chain_size + metadata_size;
  const auto size_class = static_cast<std::uint32_t>(size <= 64 ? 0 : std::bit_width((size - 1) >> 6U));
  void* place = nullptr;
  if (size_class < classes && free_[size_class] != nullptr) {
    message* const head = free_[size_class];
    free_[size_class] = head->next;
    --free_count_[size_class];
    head->~message();
    place = head;
  } else {
    const std::size_t room = size_class < classes ? std::size_t{64} << size_class : size;
    place = ::operator new(sizeof(message) + room);
  }
  auto* const m = new (place) message{this, size_class};
  ++in_use_;
  m->key_size = static_cast<std::uint32_t>(key.size());
  m->payload_size = m->request_size = static_cast<std::uint32_t>(payload_size);
  m->chain_size = static_cast<std::uint32_t>(chain_size);
  m->metadata_size = static_cast<std::uint32_t>(metadata_size);
  if (!key.empty()) std::memcpy(m->bytes(), key.data(), key.size());
  return message_ptr{m};
}

void message_pool::release(message* m) noexcept {
  GROVE_DEBUG_CHECK(in_use_ > 0, "more messages are given back than were made");
  GROVE_DEBUG_CHECK(m->running == nullptr, "a message is freed whose turn runs");
  GROVE_DEBUG_CHECK(m->stream == nullptr, "a message is freed whose stream is open");
  GROVE_DEBUG_CHECK(m->previous_call == nullptr && m->next_call == nullptr,
                    "a message is freed that its origin has listed");
  --in_use_;
  if (m->object_ != nullptr) message_scratch::give_back(*m->object_home_, std::move(m->object_));
  if (m->size_class_ < classes && free_count_[m->size_class_] < kept_per_class_max) {
    m->next = free_[m->size_class_];
    free_[m->size_class_] = m;
    ++free_count_[m->size_class_];
    return;
  }
  m->~message();
  ::operator delete(m);
}

}  // namespace grove
