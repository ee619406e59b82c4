// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "worker/actor/state_store.h"

namespace grove::test {

/// A store in which nothing is durable before the test says so: late, in bursts, or never.
class delayed_store final : public state_store {
 public:
  [[nodiscard]] bool load(std::string_view type, std::string_view key, std::string& into) override;
  [[nodiscard]] ticket append(const state_change& change) override;
  [[nodiscard]] ticket durable() const noexcept override { return durable_; }
  void set_listener(store_listener* listener) noexcept override { listener_ = listener; }

  /// All up to this ticket is durable now, and the listener is told.
  void complete(ticket up_to);
  void complete_all() { complete(last_); }
  /// The `n`-th append from now on throws RESOURCE_EXHAUSTED.
  void fail_append(int n) { until_failure_ = n; }

  [[nodiscard]] ticket last() const noexcept { return last_; }

 private:
  std::map<std::string, std::string, std::less<>> states_;  // By "type/key".
  store_listener* listener_ = nullptr;
  ticket last_ = 0;
  ticket durable_ = 0;
  int until_failure_ = 0;
};

}  // namespace grove::test
