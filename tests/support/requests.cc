// SPDX-License-Identifier: Apache-2.0
#include "tests/support/requests.h"

#include "base/hash.h"
#include "grove/v1/builtin.pb.h"

namespace grove::test {

v1::Envelope sleep_request(std::uint64_t id, std::string_view key, std::uint32_t milliseconds) {
  v1::EchoSleepRequest sleep;
  sleep.set_milliseconds(milliseconds);
  v1::Envelope made;
  v1::Request& request = *made.mutable_request();
  request.set_id(id);
  request.set_type("grove.Echo");
  request.set_key(std::string{key});
  request.set_method("Sleep");
  request.set_payload(sleep.SerializeAsString());
  return made;
}

std::string nested_echo(int messages) {
  // By hand: protobuf's own recursion would need as deep a stack as the server's.
  std::string bytes;
  for (int level = 1; level < messages; ++level) {
    std::string outer{"\x12"};
    for (std::size_t size = bytes.size();;) {
      const auto low = static_cast<unsigned char>(size & 0x7fU);
      size >>= 7U;
      outer.push_back(static_cast<char>(size != 0 ? low | 0x80U : low));
      if (size == 0) break;
    }
    bytes = outer + bytes;
  }
  return bytes;
}

std::vector<std::string> keys_of(const v1::Welcome& welcome, std::string_view type, std::uint32_t slot,
                                 std::size_t count) {
  const auto partitions = static_cast<std::uint32_t>(welcome.owners_size());
  std::vector<std::string> keys;
  for (int i = 0; keys.size() < count; ++i) {
    std::string key = "key " + std::to_string(i);
    const std::uint32_t partition = partition_of(hash_of_address(hash_of_name(type), key), partitions);
    if (welcome.owners(static_cast<int>(partition)) == slot) keys.push_back(std::move(key));
  }
  return keys;
}

}  // namespace grove::test
