// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace grove {

/// Is told when the greenlet that has it in its slots stops running for a wait, and when it runs again. One that has
/// none pays a look at a byte beside words that the wait has just touched.
/// Affinity: the greenlet itself. Its functions neither switch nor throw.
class wait_listener {
 public:
  virtual void waits() noexcept = 0;
  /// Also when the wait will throw what was delivered; not when the greenlet is unwound.
  virtual void goes_on() noexcept = 0;

 protected:
  wait_listener() = default;
  wait_listener(const wait_listener&) = default;
  wait_listener& operator=(const wait_listener&) = default;
  ~wait_listener() = default;
};

}  // namespace grove
