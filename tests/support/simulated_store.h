// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>

#include "worker/actor/state_store.h"

namespace grove::test {

/// What survives processes: the states that were made durable, by "type/key".
using simulated_disk = std::map<std::string, std::string, std::less<>>;

/// The store of one process, on a disk that outlives it. What is appended becomes durable when the simulation says so;
/// what is not when the process dies is lost.
class simulated_store final : public state_store {
 public:
  /// Lifetime: borrowed.
  explicit simulated_store(simulated_disk& disk) noexcept : disk_{disk} {}

  [[nodiscard]] bool load(std::string_view type, std::string_view key, std::string& into) override;
  [[nodiscard]] ticket append(const state_change& change) override;
  [[nodiscard]] ticket durable() const noexcept override { return durable_; }
  void set_listener(store_listener* listener) noexcept override { listener_ = listener; }

  /// Whether what is appended is durable at once, as in memory.
  void set_at_once(bool at_once) noexcept { at_once_ = at_once; }
  /// So many of the oldest changes that are not durable are, and the listener is told.
  void complete(std::size_t changes);
  [[nodiscard]] std::size_t incomplete() const noexcept { return waiting_.size(); }
  /// The next append fails.
  void fail_next() noexcept { fails_ = true; }
  [[nodiscard]] std::uint64_t failed() const noexcept { return failed_; }

  /// Its process has died: the disk stays as it is.
  void die() noexcept { dead_ = true; }

 private:
  struct change {
    ticket at;
    std::string address;
    std::string state;
  };

  simulated_disk& disk_;
  store_listener* listener_ = nullptr;
  std::deque<change> waiting_;
  ticket last_ = 0;
  ticket durable_ = 0;
  std::uint64_t failed_ = 0;
  bool at_once_ = false;
  bool fails_ = false;
  bool dead_ = false;
};

}  // namespace grove::test
