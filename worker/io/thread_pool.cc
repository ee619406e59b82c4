// SPDX-License-Identifier: Apache-2.0
#include "worker/io/thread_pool.h"

namespace grove {

namespace {

class pool_of_hub final : public hub_service {
 public:
  explicit pool_of_hub(hub& on) : pool({}, on) {}
  thread_pool pool;
};

}  // namespace

thread_pool& thread_pool::of(hub& on) {
  return on.service<pool_of_hub>().pool;
}

}  // namespace grove
