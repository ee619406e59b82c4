// SPDX-License-Identifier: Apache-2.0
#include "client/load/internal/load_plan.h"

#include <algorithm>

#include "base/byte_buffer.h"
#include "base/hash.h"
#include "proto/wire/envelope.h"

namespace grove::load::detail {
namespace {

[[nodiscard]] unsigned digits_of(std::uint64_t number) {
  return static_cast<unsigned>(std::to_string(number).size());
}

}  // namespace

load_plan::load_plan(const load_options& given, const server_info& info) : options{given} {
  depth = std::max(1U, given.depth);
  const std::uint32_t workers = given.workers_used == 0 ? info.workers : std::min(given.workers_used, info.workers);
  // When only some workers are used, keys are tried until enough belong to them.
  const std::uint64_t tried_max = workers == info.workers ? given.keys : std::uint64_t{given.keys} * info.workers * 8;
  numbers = static_cast<std::uint32_t>(std::min<std::uint64_t>(tried_max, UINT32_MAX));
  digits = digits_of(numbers);
  keys_of.resize(workers);
  const std::uint64_t type_hash = hash_of_name(given.type);
  std::string key = given.prefix + std::string(digits, '0');
  std::uint32_t found = 0;
  for (std::uint32_t i = 0; found < given.keys && i < numbers; ++i) {
    if (given.only != nullptr && !(*given.only)[i]) continue;
    write_digits(i, key.data() + given.prefix.size());
    std::uint32_t owner = i % info.workers;
    if (!info.owners.empty()) {
      const auto partitions = static_cast<std::uint32_t>(info.owners.size());
      owner = info.owners[partition_of(hash_of_address(type_hash, key), partitions)];
    }
    if (owner >= workers) continue;
    keys_of[owner].push_back(i);
    ++found;
  }
  byte_buffer bytes;
  for (unsigned id = 1; id <= depth; ++id) {
    wire::request_view request;
    request.id = id;
    request.type = given.type;
    request.key = key;
    request.method = given.method;
    request.payload = given.payload;
    request.remaining_microseconds = static_cast<std::uint64_t>(given.timeout.count());
    const std::size_t before = bytes.size();
    wire::append_request(bytes, request);
    const std::string_view frame = bytes.view().substr(before);
    const std::size_t at = frame.find(key, frame.find(given.type) + given.type.size()) + given.prefix.size();
    digit_places.push_back(static_cast<std::uint32_t>(before + at));
    frame_ends.push_back(static_cast<std::uint32_t>(bytes.size()));
  }
  frames = bytes.view();
}

}  // namespace grove::load::detail
