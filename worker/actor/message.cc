// SPDX-License-Identifier: Apache-2.0
#include "worker/actor/message.h"

#include <bit>
#include <cstring>
#include <new>

#include "base/check.h"

namespace grove {

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
  message_ptr m = make_blank(key, payload.size(), chain, metadata);
  if (!payload.empty()) std::memcpy(m->payload_place(), payload.data(), payload.size());
  return m;
}

message_ptr message_pool::make_blank(std::string_view key, std::size_t payload_size, std::string_view chain,
                                     std::string_view metadata) {
  const std::size_t size = key.size() + payload_size + chain.size() + metadata.size();
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
  m->payload_size = static_cast<std::uint32_t>(payload_size);
  m->chain_size = static_cast<std::uint32_t>(chain.size());
  m->metadata_size = static_cast<std::uint32_t>(metadata.size());
  if (!key.empty()) std::memcpy(m->bytes(), key.data(), key.size());
  if (!chain.empty()) std::memcpy(m->bytes() + key.size() + payload_size, chain.data(), chain.size());
  if (!metadata.empty()) {
    std::memcpy(m->bytes() + key.size() + payload_size + chain.size(), metadata.data(), metadata.size());
  }
  return message_ptr{m};
}

void message_pool::release(message* m) noexcept {
  --in_use_;
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
