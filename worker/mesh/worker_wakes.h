// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace grove {

/// Wakes workers whose hubs sleep. Idempotent, and of no effect on one that is awake.
/// Affinity: any thread.
class worker_wakes {
 public:
  worker_wakes() = default;
  worker_wakes(const worker_wakes&) = delete;
  worker_wakes& operator=(const worker_wakes&) = delete;
  virtual ~worker_wakes() = default;

  virtual void wake(std::uint32_t slot) noexcept = 0;
};

/// Workers that are processes: each waits for an eventfd of its own.
class wake_descriptors final : public worker_wakes {
 public:
  /// The eventfd of each slot. Lifetime: borrowed.
  explicit wake_descriptors(std::vector<int> by_slot) : by_slot_{std::move(by_slot)} {}

  void wake(std::uint32_t slot) noexcept override;

  /// What the worker of a slot waits for, with the rest of its loop; `clear` once it is readable.
  [[nodiscard]] int descriptor(std::uint32_t slot) const noexcept { return by_slot_[slot]; }
  void clear(std::uint32_t slot) noexcept;

 private:
  std::vector<int> by_slot_;
};

}  // namespace grove
