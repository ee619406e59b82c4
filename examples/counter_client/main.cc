// SPDX-License-Identifier: Apache-2.0
// The smallest program that talks to a Grove server: adds 1 to the counter `visits` and prints the sum.
//   counter_client [HOST:PORT]
#include <client/client.h>
#include <grove/v1/builtin.client.h>

#include <iostream>
#include <variant>

int main(int argc, char** argv) {
  const auto server = grove::parse_server_address(argc > 1 ? argv[1] : "127.0.0.1:7400");
  if (const auto* wrong = std::get_if<grove::status>(&server)) {
    std::cerr << wrong->to_string() << '\n';
    return 2;
  }
  grove::client client{{.servers = {std::get<grove::server_address>(server)}}};
  grove::v1::CounterClient counters{client};
  try {
    std::cout << counters.Add("visits", {}).value() << '\n';
  } catch (const grove::call_error& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
