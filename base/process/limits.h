// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace grove {

/// Every limit of a server, once: name, setting, unit, default, the range of the setting, help. What the struct, the
/// settings, their help and the control packets say of limits comes from here. One that a client can meet is announced
/// at hello and named by the error that it causes (base/limit_text.h).
///
/// Where a range is not a matter of taste:
/// - frame: a description of the built-in types fits the least; the most is far from what a ring may have.
/// - nesting: protobuf takes up to 260 bytes of stack a level, and a turn has 64 KiB.
/// - key: an actor's cell counts its bytes with 16 bits.
/// - type and method: the names of the built-in ones fit the least.
/// - stacks: each is two mappings, and the kernel gives a process 65,530 unless told otherwise.
/// - call depth: every nested call carries the addresses of all that wait for it.
/// - idle: actors are looked at once a second.
// clang-format off
#define GROVE_LIMITS(X)                                                                                            \
  X(frame_bytes_max,         "limits.frame-bytes-max",         bytes,        1U << 20U, 64U << 10U, 16U << 20U,    \
    "Largest frame of the client protocol")                                                                        \
  X(nesting_max,             "limits.nesting-max",             count,        32, 1, 100,                           \
    "Deepest nesting of a message")                                                                                \
  X(key_bytes_max,           "limits.key-bytes-max",           bytes,        256, 1, 65'535,                       \
    "Longest key of an actor")                                                                                     \
  X(type_bytes_max,          "limits.type-bytes-max",          bytes,        256, 64, 4U << 10U,                   \
    "Longest name of an actor type")                                                                               \
  X(method_bytes_max,        "limits.method-bytes-max",        bytes,        128, 64, 4U << 10U,                   \
    "Longest name of a method")                                                                                    \
  X(metadata_entries_max,    "limits.metadata-entries-max",    count,        64, 1, 1'000,                         \
    "Entries of a call's metadata")                                                                                \
  X(unfinished_calls_max,    "limits.unfinished-calls-max",    count,        256, 1, 65'536,                       \
    "Unfinished calls of a connection")                                                                            \
  X(output_buffer_bytes_max, "limits.output-buffer-bytes-max", bytes,        1U << 20U, 4U << 10U, 1U << 30U,      \
    "Unsent bytes of a connection before it is no longer read")                                                    \
  X(connections_max,         "limits.connections-max",         count,        16'000, 1, 1'000'000,                 \
    "Connections of a worker")                                                                                     \
  X(mailbox_messages_max,    "limits.mailbox-messages-max",    count,        128, 1, 1'000'000,                    \
    "Messages in an actor's mailbox")                                                                              \
  X(mailbox_bytes_max,       "limits.mailbox-bytes-max",       bytes,        1U << 20U, 1U << 10U, 1U << 30U,      \
    "Bytes in an actor's mailbox")                                                                                 \
  X(call_depth_max,          "limits.call-depth-max",          count,        32, 1, 100,                           \
    "Calls nested in calls")                                                                                       \
  X(stacks_max,              "limits.stacks-max",              count,        16'384, 16, 32'000,                   \
    "Greenlet stacks of a worker")                                                                                 \
  X(slow_reader_cut,         "limits.slow-reader-cut",         milliseconds, 10'000, 10, 86'400'000,               \
    "A client whose unsent bytes stay above output-buffer-bytes-max so long is cut off")                           \
  X(first_frame_within,      "limits.first-frame-within",      milliseconds, 5'000, 10, 3'600'000,                 \
    "Time for a connection's first frame")                                                                         \
  X(frame_within,            "limits.frame-within",            milliseconds, 30'000, 10, 3'600'000,                \
    "Time for each later frame, once it has begun")                                                                \
  X(call_deadline,           "limits.call-deadline",           milliseconds, 30'000, 1, 86'400'000,                \
    "Deadline of a call that has none")                                                                            \
  X(call_deadline_max,       "limits.call-deadline-max",       milliseconds, 600'000, 1, 86'400'000,               \
    "Longest deadline that a call may have")                                                                       \
  X(idle_timeout,            "limits.idle-timeout",            milliseconds, 600'000, 1'000, 86'400'000,           \
    "An actor without messages for this long is passivated")
// clang-format on

enum class limit_unit : std::uint8_t { count, bytes, milliseconds };

template <limit_unit Unit>
using limit_value = std::conditional_t<Unit == limit_unit::milliseconds, std::chrono::milliseconds, std::uint32_t>;

/// The limits of a server, at their defaults until they are set.
struct limits {
  // NOLINTNEXTLINE(bugprone-macro-parentheses): a name cannot have any.
#define GROVE_X(name, setting, unit, standard, least, most, help) limit_value<limit_unit::unit> name{standard};
  GROVE_LIMITS(GROVE_X)
#undef GROVE_X
};

struct limit_info {
  std::string_view name;
  std::string_view setting;
  limit_unit unit;
  std::uint64_t standard;
  std::uint64_t least;
  std::uint64_t most;
  std::string_view help;
};

/// The table, in the order of the settings' help.
inline constexpr std::array limit_table = {
#define GROVE_X(name, setting, unit, standard, least, most, help) \
  limit_info{#name, setting, limit_unit::unit, standard, least, most, help},
    GROVE_LIMITS(GROVE_X)
#undef GROVE_X
};

}  // namespace grove
