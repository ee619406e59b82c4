// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "worker/hub/hub.h"

namespace grove {

/// While it exists, something is pending in the hub, see hub::hold().
/// Affinity: hub thread.
class hub_hold {
 public:
  explicit hub_hold(hub& on) noexcept : on_(on) { on_.hold(); }
  ~hub_hold() { on_.release(); }
  hub_hold(const hub_hold&) = delete;
  hub_hold& operator=(const hub_hold&) = delete;

 private:
  hub& on_;
};

}  // namespace grove
