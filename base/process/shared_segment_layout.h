// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the supervisor and its workers share: the bytes of a sealed memfd.
//
//   offset 0   segment_header        one page; written by the supervisor before any worker runs, but for
//                                    `table_version`
//   owners     u64 per partition     who owns it, as base/process/address_owner.h has it
//   slots      worker_slot each      state and identity, heartbeat, metrics, flight record, names
//   controls   ring_control each     positions of ring (from, to), at index from * workers + to
//   data       ring_bytes each       the bytes of the same rings, page aligned; (i, i) is never touched
//
// All regions begin on a page. Everything is lazily committed: what nobody writes costs no memory.
//
// Invariants:
// - there are no locks: a process may die between any two instructions and nobody has to clean up after it;
// - every word is a lock-free atomic, and has one writing thread in one process at a time. Supervisor: header, owners, and
//   `worker_slot::state` to `last_exit`. The slot's worker: the rest of its slot. A ring's tail: the worker of `from`; its
//   head: the worker of `to`;
// - a slot gets a new worker only after waitid has confirmed the death of the old one, so "its worker" is one
//   process;
// - what one process polls and another writes has a cache line (pair of lines, for the prefetcher) to itself.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/cache_line.h"
#include "base/process/shared_metrics.h"
#include "base/text.h"

namespace grove {

inline constexpr std::size_t shared_page_bytes = 4096;
inline constexpr std::uint64_t segment_magic = 0x746e6d6765766f72ULL;
inline constexpr std::uint32_t segment_layout_version = 3;
inline constexpr std::uint32_t workers_max = 128;

static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

/// A text that one process replaces and others read: a sequence lock whose reader gives up, because the
/// writer may die in the middle. Boehm, "Can seqlocks get along with programming language memory models?".
template <std::size_t Bytes>
class shared_text {
 public:
  static_assert(Bytes % 8 == 0);

  /// Replaces the text; what does not fit is cut off, between two characters. Affinity: the one writing thread.
  void write(std::string_view whole) noexcept {
    const std::string_view text = cut_text(whole, Bytes);
    const std::uint32_t odd = version_.load(std::memory_order_relaxed) | 1U;
    version_.store(odd, std::memory_order_relaxed);
    const std::size_t size = text.size();
    for (std::size_t at = 0; at < size; at += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, text.data() + at, size - at < 8 ? size - at : 8);
      words_[at / 8].store(word, std::memory_order_release);
    }
    size_.store(static_cast<std::uint32_t>(size), std::memory_order_release);
    version_.store(odd + 1, std::memory_order_release);
  }

  /// The text; empty when its writer does not finish. Affinity: any thread of any process.
  [[nodiscard]] std::string read() const {
    std::array<char, Bytes> text{};
    return std::string{read(text)};
  }

  /// The same in memory of the caller's. Affinity: as read(), and async-signal-safe.
  [[nodiscard]] std::string_view read(std::array<char, Bytes>& into) const noexcept {
    for (int attempt = 0; attempt < 100; ++attempt) {
      const std::uint32_t before = version_.load(std::memory_order_acquire);
      if ((before & 1U) != 0) continue;
      const std::size_t size = size_.load(std::memory_order_acquire);
      if (size > Bytes) return {};
      for (std::size_t at = 0; at < size; at += 8) {
        const std::uint64_t word = words_[at / 8].load(std::memory_order_acquire);
        std::memcpy(into.data() + at, &word, size - at < 8 ? size - at : 8);
      }
      if (version_.load(std::memory_order_relaxed) == before) return {into.data(), size};
    }
    return {};
  }

  [[nodiscard]] static constexpr std::size_t capacity() noexcept { return Bytes; }

 private:
  std::atomic<std::uint32_t> version_;
  std::atomic<std::uint32_t> size_;
  std::array<std::atomic<std::uint64_t>, Bytes / 8> words_;
};

/// What is fixed when the segment is made.
struct segment_layout {
  std::uint64_t magic;
  std::uint32_t layout_version;
  std::uint32_t workers;
  std::uint32_t partitions;
  std::uint32_t slot_bytes;   ///< sizeof(worker_slot) of whoever made the segment.
  std::uint64_t ring_bytes;   ///< A multiple of the page.
  std::uint64_t total_bytes;  ///< The memfd's size.
  std::uint64_t owners_offset;
  std::uint64_t slots_offset;
  std::uint64_t controls_offset;
  std::uint64_t data_offset;
  std::int64_t started_at_ns;  ///< CLOCK_MONOTONIC when the server started.
  std::array<char, 64> server_version;

  friend bool operator==(const segment_layout&, const segment_layout&) = default;
};

struct alignas(shared_page_bytes) segment_header {
  segment_layout layout;

  /// Bumped by the supervisor after each change of a slot's state or generation, and of the partition table;
  /// then it writes all workers' wake eventfds.
  alignas(2 * cache_line_bytes) std::atomic<std::uint32_t> table_version;
};

enum class worker_state : std::uint32_t {
  down = 0,      ///< No process, or one that is known to be dead.
  starting = 1,  ///< A process that does not serve yet.
  up = 2,
  draining = 3,  ///< It finishes what was begun.
};

[[nodiscard]] constexpr std::string_view to_string(worker_state state) noexcept {
  switch (state) {
    case worker_state::down:
      return "down";
    case worker_state::starting:
      return "starting";
    case worker_state::up:
      return "up";
    case worker_state::draining:
      return "draining";
  }
  return "unknown";
}

/// What the worker is doing at this moment; it is written before each turn, and read by the supervisor when
/// the worker hangs or has died. Types and methods are indexes into `worker_slot::names`.
class flight_record {
 public:
  static constexpr std::size_t key_bytes = 40;

  /// A turn begins, or goes on after it had waited. A dozen stores to one pair of cache lines.
  void running(std::int64_t now_ns, std::uint16_t type, std::uint16_t method, std::string_view key, std::uint64_t hash,
               std::uint64_t session, std::uint64_t request) noexcept {
    what_.store(std::uint64_t{type} << 48U | std::uint64_t{method} << 32U | (key.size() & 0xffffffffU),
                std::memory_order_relaxed);
    hash_.store(hash, std::memory_order_relaxed);
    session_.store(session, std::memory_order_relaxed);
    request_.store(request, std::memory_order_relaxed);
    const std::size_t kept = key.size() < key_bytes ? key.size() : key_bytes;
    std::size_t at = 0;
    for (; at + 8 <= kept; at += 8)
      key_[at / 8].store(first_bytes<std::uint64_t>(key.data() + at), std::memory_order_relaxed);
    if (at < kept) key_[at / 8].store(last_word(key.data() + at, kept - at), std::memory_order_relaxed);
    running_since_.store(now_ns, std::memory_order_release);
  }

  /// No turn runs. What the last one was stays readable.
  void idle() noexcept { running_since_.store(0, std::memory_order_release); }

  struct snapshot {
    std::int64_t running_since_ns = 0;  ///< CLOCK_MONOTONIC; 0: no turn runs.
    std::uint16_t type = 0;
    std::uint16_t method = 0;
    std::uint32_t key_size = 0;               ///< Of the whole key.
    std::array<char, key_bytes> key_start{};  ///< At most its first 40 bytes, whatever character that cuts.
    std::uint64_t hash = 0;                   ///< Of the address.
    std::uint64_t session = 0;                ///< The origin's two numbers of the call.
    std::uint64_t request = 0;

    [[nodiscard]] bool has_whole_key() const noexcept { return key_size <= key_bytes; }
    /// What there is of the key. Lifetime: a view of this.
    [[nodiscard]] std::string_view key() const noexcept {
      return {key_start.data(), has_whole_key() ? key_size : key_bytes};
    }
  };

  /// Exact when the worker is dead or hangs; of a worker that runs it may mix two turns.
  /// Affinity: any thread of any process, async-signal-safe.
  [[nodiscard]] snapshot read() const noexcept {
    snapshot seen;
    seen.running_since_ns = running_since_.load(std::memory_order_acquire);
    const std::uint64_t what = what_.load(std::memory_order_relaxed);
    seen.type = static_cast<std::uint16_t>(what >> 48U);
    seen.method = static_cast<std::uint16_t>(what >> 32U);
    seen.key_size = static_cast<std::uint32_t>(what);
    for (std::size_t i = 0; i < key_.size(); ++i) {
      const std::uint64_t word = key_[i].load(std::memory_order_relaxed);
      std::memcpy(seen.key_start.data() + i * 8, &word, 8);
    }
    seen.hash = hash_.load(std::memory_order_relaxed);
    seen.session = session_.load(std::memory_order_relaxed);
    seen.request = request_.load(std::memory_order_relaxed);
    return seen;
  }

 private:
  template <typename Word>
  static Word first_bytes(const char* of) noexcept {
    Word word{};
    std::memcpy(&word, of, sizeof word);
    return word;
  }
  /// 1 to 7 bytes, without a call for a copy of so few.
  static std::uint64_t last_word(const char* of, std::size_t bytes) noexcept {
    const auto byte = [of](std::size_t at) { return std::uint64_t{static_cast<unsigned char>(of[at])} << (8U * at); };
    if (bytes < 4) return byte(0) | byte(bytes / 2) | byte(bytes - 1);
    return std::uint64_t{first_bytes<std::uint32_t>(of)} | std::uint64_t{first_bytes<std::uint32_t>(of + bytes - 4)}
                                                               << (8U * (bytes - 4));
  }

  std::atomic<std::int64_t> running_since_;
  std::atomic<std::uint64_t> what_;  // type:16 method:16 key size:32
  std::atomic<std::uint64_t> hash_;
  std::atomic<std::uint64_t> session_;
  std::atomic<std::uint64_t> request_;
  std::array<std::atomic<std::uint64_t>, key_bytes / 8> key_;
};

struct alignas(shared_page_bytes) worker_slot {
  // Written by the supervisor.
  alignas(2 * cache_line_bytes) std::atomic<worker_state> state;
  std::atomic<std::uint32_t> generation;  ///< Counts the processes that the slot has had, from 1.
  std::atomic<std::int32_t> pid;          ///< 0: none.
  std::atomic<std::uint32_t> restarts;
  std::atomic<std::int32_t> cpu;            ///< The core it is pinned to; -1: none.
  std::atomic<std::int64_t> started_at_ns;  ///< CLOCK_MONOTONIC of its process.
  shared_text<128> last_exit;               ///< How the slot's last process ended. Empty: none has.

  // Written by the slot's worker.
  alignas(2 * cache_line_bytes) std::atomic<std::uint64_t> heartbeat;  ///< Grows while its loop goes round.
  /// While it stops, for those that stop with it (worker/mesh/drain_agreement.h): how many bytes of records had been
  /// published to it altogether when it had done all that they asked for, plus 1; 0: that has not been so yet.
  std::atomic<std::uint64_t> rests_at;
  /// Odd while it sleeps, from before it looks at its rings for a last time; grows by one at each falling
  /// asleep and waking up. Whoever publishes into a ring to it and sees an odd value that it has not seen
  /// before writes the worker's wake eventfd. Both sides use sequentially consistent operations on this word
  /// and on the ring's tail (Dekker's pattern), so that one of them sees the other.
  alignas(2 * cache_line_bytes) std::atomic<std::uint32_t> asleep;
  alignas(2 * cache_line_bytes) flight_record flight;
  alignas(2 * cache_line_bytes) worker_metrics metrics;
  /// The names of the types that it serves, in the order of their indexes: a line each, of the type and its
  /// methods, separated by tabs. Written once, before it serves.
  alignas(2 * cache_line_bytes) shared_text<16 * 1024> names;
};

/// The positions of one ring; worker/mesh/ring.h has the format of its bytes. Both only grow; the byte at
/// position p is at p modulo ring_bytes.
struct ring_control {
  alignas(2 * cache_line_bytes) std::atomic<std::uint64_t> head;  ///< Read up to here; the reader's.
  alignas(2 * cache_line_bytes) std::atomic<std::uint64_t> tail;  ///< Published up to here; the writer's.
  /// 1 while the writer has more than there is room for, so that the reader wakes it up; the writer's.
  std::atomic<std::uint32_t> wants_room;
};

}  // namespace grove
