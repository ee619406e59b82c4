// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <asio/ip/tcp.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "client/load/load.h"

namespace grove::load::detail {

/// What all connections of a load share, made once: the keys of each worker and the bytes of the requests. A key is
/// the prefix and a number of fixed width, so that a request's frame always has the same length and only the digits in
/// it change.
struct load_plan {
  load_plan(const load_options& options, const server_info& info);

  /// Writes a key's digits.
  void write_digits(std::uint32_t key, char* place) const noexcept {
    for (unsigned i = digits; i-- > 0; key /= 10)
      place[i] = static_cast<char>('0' + key % 10);
  }

  const load_options& options;
  asio::ip::tcp::endpoint endpoint;  ///< Set by who uses the plan.
  unsigned depth = 1;
  std::uint32_t numbers = 0;  ///< Every key's number is below it.
  unsigned digits = 1;
  /// By worker: the numbers of its keys. A worker without any shares all of them.
  std::vector<std::vector<std::uint32_t>> keys_of;
  /// `depth` frames, with ids from 1, one after the other.
  std::string frames;
  /// Where each frame ends, and where the digits of its key begin.
  std::vector<std::uint32_t> frame_ends;
  std::vector<std::uint32_t> digit_places;
};

}  // namespace grove::load::detail
