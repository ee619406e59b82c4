// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>

namespace grove::test {

/// The seed of a test with random input, which it prints. It is always the same one, so that no run of the suite fails
/// by chance; the environment variable GROVE_TEST_SEED sets another, and `random` one that nobody knows before.
/// Errors: std::invalid_argument and std::out_of_range, if the variable is neither.
[[nodiscard]] inline std::uint32_t seed() {
  const char* given = std::getenv("GROVE_TEST_SEED");
  const std::string wanted = given != nullptr ? given : "1";
  const std::uint32_t chosen =
      wanted == "random" ? std::random_device{}() : static_cast<std::uint32_t>(std::stoul(wanted));
  std::cout << "GROVE_TEST_SEED=" << chosen << std::endl;
  return chosen;
}

}  // namespace grove::test
