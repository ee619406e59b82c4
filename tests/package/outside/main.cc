// SPDX-License-Identifier: Apache-2.0
// What a program that uses the installed client library looks like. Nobody listens at its address, and it says so.
#include <client/client.h>
#include <grove/v1/builtin.client.h>

#include <chrono>
#include <cstdio>

int main() {
  grove::client_options options;
  options.servers = {grove::server_address{.host = "127.0.0.1", .port = 1}};
  options.call_timeout = std::chrono::seconds{2};
  grove::client client{options};
  grove::v1::CounterClient counters{client};
  try {
    (void)counters.Get("visits", {});
  } catch (const grove::call_error& e) {
    std::printf("%s\n", e.what());
    return 0;
  }
  return 1;
}
