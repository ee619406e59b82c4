// SPDX-License-Identifier: Apache-2.0
#pragma once

// Signals of the process in greenlets, as gevent's signal handlers.
//
// - What runs in the signal's own context sets a bit and writes to an eventfd; everything else happens in the hub.
// - Signals coalesce, as the kernel's do: those of one number that come before the hub looks are one. Whoever is told
//   looks for everything that may have happened.
// - The first one who asks for a signal takes its disposition, in all hubs of the process together; when the last one
//   has gone, the disposition is what it was before (unless somebody else has changed it meanwhile).
// - Asio's signal_set is not used: without locks it allows one io_context in the process, and it leaves SIG_DFL behind.

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/callback.h"
#include "base/clock.h"
#include "worker/greenlet/unique_function.h"

namespace grove {

namespace io::detail {
class signal_service;
class signal_subscription;
struct signal_unsubscribe {
  void operator()(signal_subscription* gone) const noexcept;
};
using signal_subscription_ptr = std::unique_ptr<signal_subscription, signal_unsubscribe>;
signal_subscription_ptr subscribe(int signal, unique_function<void(int)> call);
struct watched_signals;
}  // namespace io::detail

/// A handler is in force as long as this exists. It keeps no hub::join() waiting.
/// Affinity: hub thread.
/// Lifetime: may outlive the hub, without effect then.
class signal_handle {
 public:
  signal_handle() noexcept = default;
  explicit signal_handle(io::detail::signal_subscription_ptr held) noexcept : held_(std::move(held)) {}
  /// A handler that runs goes on; none begins any more.
  void reset() noexcept { held_.reset(); }
  [[nodiscard]] explicit operator bool() const noexcept { return held_ != nullptr; }

 private:
  io::detail::signal_subscription_ptr held_;
};

/// Calls `call` (with the signal's number, or with nothing) in a fresh greenlet of the calling thread's hub for each
/// `signal`; handlers may wait and overlap. What it throws goes to the hub's error handler.
/// Affinity: hub thread.
/// Errors: std::system_error for a signal that cannot be handled: KILL, STOP, and those of faults (SEGV, BUS, FPE, ILL).
template <typename F>
[[nodiscard]] signal_handle on_signal(int signal, F&& call) {
  static_assert(callback_for<std::decay_t<F>&, int>, "a signal handler takes the signal's number or nothing");
  return signal_handle(io::detail::subscribe(signal, adapt_callback<void(int)>(std::forward<F>(call))));
}

/// Keeps the signals that come while it exists until somebody waits for them.
/// Affinity: hub thread.
class signal_watch {
 public:
  /// Errors: as on_signal().
  signal_watch(std::initializer_list<int> signals);
  ~signal_watch();
  signal_watch(const signal_watch&) = delete;
  signal_watch& operator=(const signal_watch&) = delete;

  /// Takes the lowest signal that has come; nothing at `until`. A hub::join() waits with it.
  /// Switches: to the hub, if none has come.
  /// Cancel: no signal is taken.
  std::optional<int> wait(std::optional<steady_time> until = std::nullopt);

 private:
  std::unique_ptr<io::detail::watched_signals> state_;
};

/// Waits for one of `signals`. Before and after it they have their own disposition, which may be the end of the
/// process: a loop that waits again and again holds a signal_watch.
std::optional<int> wait_signal(std::initializer_list<int> signals, std::optional<steady_time> until = std::nullopt);

}  // namespace grove
