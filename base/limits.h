// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace grove {

/// Every limit of a server with its default. One that a client can meet is announced at hello and named by
/// the error that it causes.
struct limits {
  std::uint32_t frame_bytes_max = 1U << 20U;
  std::uint32_t nesting_max = 32;
  std::uint32_t key_bytes_max = 256;
  std::uint32_t method_bytes_max = 128;
  std::uint32_t type_bytes_max = 256;
  std::uint32_t metadata_entries_max = 64;
  std::uint32_t unfinished_calls_max = 256;           ///< Per connection, cancelled ones included.
  std::uint32_t output_buffer_bytes_max = 1U << 20U;  ///< Per connection; then it is not read any more.
  std::uint32_t connections_max = 16'000;             ///< Per worker.
  std::uint32_t mailbox_messages_max = 128;
  std::uint32_t mailbox_bytes_max = 1U << 20U;
  std::uint32_t call_depth_max = 32;  ///< Calls nested in calls.
  std::uint32_t stacks_max = 16'384;  ///< Dedicated greenlet stacks a worker.
  std::chrono::milliseconds slow_reader_cut{10'000};
  std::chrono::milliseconds first_frame_within{5'000};
  std::chrono::milliseconds frame_within{30'000};  ///< From its first byte to its last, after the first frame.
  std::chrono::milliseconds call_deadline{30'000};
  std::chrono::milliseconds call_deadline_max{600'000};
  std::chrono::milliseconds idle_timeout{600'000};  ///< An actor without messages is passivated after it.
};

}  // namespace grove
