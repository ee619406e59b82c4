// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "worker/hub/hub.h"

namespace grove {

/// While it exists, the hub is the calling thread's. Scopes nest; nothing may wait in one but in the hub's own passes.
class hub_scope {
 public:
  explicit hub_scope(hub& on) : before_(thread_loop()) { enter(&on); }
  ~hub_scope() { enter(before_); }
  hub_scope(const hub_scope&) = delete;
  hub_scope& operator=(const hub_scope&) = delete;

 private:
  static void enter(void* loop) {
    if (thread_loop() != loop) set_thread_loop(loop);
  }
  void* before_;
};

}  // namespace grove
