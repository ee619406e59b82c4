// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace grove {

class byte_stream;

/// What the gate knows of the server around its worker.
class topology {
 public:
  topology() = default;
  topology(const topology&) = delete;
  topology& operator=(const topology&) = delete;
  virtual ~topology() = default;

  [[nodiscard]] virtual std::uint32_t own_slot() const noexcept = 0;
  [[nodiscard]] virtual std::uint32_t workers() const noexcept = 0;
  [[nodiscard]] virtual std::uint32_t partitions() const noexcept = 0;
  [[nodiscard]] virtual std::uint32_t owner_of_partition(std::uint32_t partition) const noexcept = 0;

  /// Passes a connection to the worker of `slot`, with what was read from it already.
  /// Errors: false, and the stream is as it was. True: the other worker has it, and the caller closes its own end.
  [[nodiscard]] virtual bool pass_connection(std::uint32_t slot, byte_stream& stream,
                                             std::string_view already_read) = 0;
};

}  // namespace grove
