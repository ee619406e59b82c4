// SPDX-License-Identifier: Apache-2.0
#include "server/bind_patience.h"

#include <utility>

#include "base/values.h"

namespace grove::server {

bind_patience::bind_patience(host_port where, spdlog::logger& log) : where_{std::move(where)}, log_{log} {}

bind_patience::~bind_patience() {
  if (give_up_) ::pthread_sigmask(SIG_SETMASK, &blocked_before_, nullptr);
}

void bind_patience::begin(steady_time now) {
  give_up_ = time_after(now, whole);
  ::sigemptyset(&awaited_);
  for (const int number : {SIGTERM, SIGINT, SIGQUIT})
    ::sigaddset(&awaited_, number);
  ::pthread_sigmask(SIG_BLOCK, &awaited_, &blocked_before_);
  log_.warn("{} is in use; if a server was killed here, its workers leave it in a moment: trying again for {}",
            where_.to_string(), duration_value(whole));
}

bool bind_patience::operator()() {
  const auto now = std::chrono::steady_clock::now();
  if (!give_up_) begin(now);
  if (now >= *give_up_) return false;
  const timespec moment{.tv_sec = 0, .tv_nsec = std::chrono::nanoseconds{step}.count()};
  if (const int number = ::sigtimedwait(&awaited_, nullptr, &moment); number > 0) throw stopped_before_serving{number};
  return true;
}

}  // namespace grove::server
