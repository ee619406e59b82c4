// SPDX-License-Identifier: Apache-2.0
#include "worker/builtin/echo.h"

#include <chrono>
#include <string>

#include "worker/hub/hub.h"

namespace grove::builtin {
namespace {

constexpr std::uint32_t sleep_milliseconds_max = 60'000;
constexpr std::uint32_t spin_microseconds_max = 1'000'000;  // Half of the time after which a worker counts as hung.

}  // namespace

v1::EchoResponse EchoActor::Echo(const v1::EchoRequest& request) const {
  v1::EchoResponse response;
  response.set_text(request.text());
  return response;
}

v1::EchoSleepResponse EchoActor::Sleep(const v1::EchoSleepRequest& request) const {
  if (request.milliseconds() > sleep_milliseconds_max) {
    throw invalid_argument{"milliseconds is " + std::to_string(request.milliseconds()) + "; at most " +
                           std::to_string(sleep_milliseconds_max) + " are allowed"};
  }
  sleep_for(std::chrono::milliseconds{request.milliseconds()});
  return {};
}

v1::EchoSpinResponse EchoActor::Spin(const v1::EchoSpinRequest& request) const {
  if (request.microseconds() > spin_microseconds_max) {
    throw invalid_argument{"microseconds is " + std::to_string(request.microseconds()) + "; at most " +
                           std::to_string(spin_microseconds_max) + " are allowed"};
  }
  const hub& here = hub::current();
  const steady_time end = time_after(here.now(), std::chrono::microseconds{request.microseconds()});
  v1::EchoSpinResponse response;
  std::uint64_t rounds = 0;
  do {
    for (int i = 0; i < 100; ++i)
      asm volatile("" ::: "memory");  // The work is to keep the core busy.
    ++rounds;
  } while (here.now() < end);
  response.set_rounds(rounds);
  return response;
}

}  // namespace grove::builtin
