// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <utility>

namespace grove {

class greenlet;
namespace greenlets::detail {
struct switching;
}

/// A counted handle of a greenlet.
/// Affinity: copies may be made and dropped on any thread; everything else belongs to the greenlet's own thread.
class greenlet_ptr {
 public:
  greenlet_ptr() noexcept = default;
  greenlet_ptr(std::nullptr_t) noexcept {}  // NOLINT(google-explicit-constructor)
  explicit greenlet_ptr(greenlet* target) noexcept;
  greenlet_ptr(const greenlet_ptr& other) noexcept : greenlet_ptr(other.target_) {}
  greenlet_ptr(greenlet_ptr&& other) noexcept : target_(std::exchange(other.target_, nullptr)) {}
  greenlet_ptr& operator=(greenlet_ptr other) noexcept {
    std::swap(target_, other.target_);
    return *this;
  }
  ~greenlet_ptr() { reset(); }

  /// Drops the handle. The last one of a suspended greenlet unwinds it.
  /// Switches: into the greenlet, if it has to be unwound.
  void reset() noexcept;

  [[nodiscard]] greenlet* get() const noexcept { return target_; }
  [[nodiscard]] greenlet* operator->() const noexcept { return target_; }
  [[nodiscard]] greenlet& operator*() const noexcept { return *target_; }
  [[nodiscard]] explicit operator bool() const noexcept { return target_ != nullptr; }
  friend bool operator==(const greenlet_ptr&, const greenlet_ptr&) noexcept = default;

 private:
  friend struct greenlets::detail::switching;
  greenlet* target_ = nullptr;
};

}  // namespace grove
