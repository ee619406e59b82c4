// SPDX-License-Identifier: Apache-2.0
#pragma once

// The part of signals that all hubs of the process share: dispositions, and the places where a signal's own context
// leaves word. Inboxes are never freed and their eventfds never closed, for a handler may run in another thread while
// a hub goes away; the next hub takes them over.

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace grove::io::detail {

using signal_bits = std::uint64_t;
[[nodiscard]] constexpr signal_bits signal_bit(int signal) noexcept {
  return signal_bits{1} << static_cast<unsigned>(signal - 1);
}

/// One hub's.
struct signal_inbox {
  std::atomic<bool> taken{false};
  std::atomic<signal_bits> wanted{0};
  std::atomic<signal_bits> arrived{0};
  std::atomic<int> wake_fd{-1};
};

constexpr std::size_t signal_inboxes_max = 64;

/// Errors: std::system_error when no descriptor, or none of signal_inboxes_max inboxes, is free.
[[nodiscard]] signal_inbox& take_signal_inbox();
void give_back(signal_inbox& inbox) noexcept;

/// Counted: the first call puts our handler in place, the last one puts back what was there.
/// Errors: std::system_error; nothing has changed then.
void hold_disposition(int signal);
void release_disposition(int signal) noexcept;

}  // namespace grove::io::detail
