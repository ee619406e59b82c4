// SPDX-License-Identifier: Apache-2.0
#include "worker/hub/hub_link.h"

namespace grove {

class hub_link::owner final : public hub_service {
 public:
  explicit owner(hub& on) : link(std::make_shared<hub_link>(on)) {}
  ~owner() override {
    const std::lock_guard lock(link->mutex_);
    link->hub_ = nullptr;
  }
  const std::shared_ptr<hub_link> link;
};

std::shared_ptr<hub_link> hub_link::of(hub& on) {
  return on.service<owner>().link;
}

}  // namespace grove
