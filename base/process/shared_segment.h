// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/process/address_owner.h"
#include "base/process/limits.h"
#include "base/process/shared_segment_layout.h"

namespace grove {

struct shared_segment_options {
  std::uint32_t workers = 1;  ///< 1 to workers_max.
  std::uint32_t partitions = default_partitions;
  std::uint64_t ring_bytes = 0;  ///< 0: as `default_ring_bytes` chooses.
  std::uint32_t frame_bytes_max = limits{}.frame_bytes_max;
  std::int64_t started_at_ns = 0;  ///< CLOCK_MONOTONIC.
  std::string server_version{};
};

/// What a record in a ring may need beyond the payload of the largest frame.
inline constexpr std::uint64_t ring_record_margin = 4096;

/// The size of a ring: 2 MiB for up to 8 workers. With more of them each gets its part of 128 MiB, because
/// there are workers * workers rings, but always enough for one record of the largest frame.
[[nodiscard]] std::uint64_t default_ring_bytes(std::uint32_t workers, std::uint32_t frame_bytes_max) noexcept;

/// RLIMIT_FSIZE, which counts for shared memory as it does for files, is below the size of a segment. The text says how
/// much is needed and how it is set.
class file_size_limit_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The memory that the supervisor and its workers share; shared_segment_layout.h has its layout and who may
/// write what. All but the rings' data is mapped here; worker/mesh maps the rings that it uses.
/// Affinity: any thread; the words themselves have one writing thread each.
class shared_segment {
 public:
  /// Makes a segment: a memfd (close-on-exec), sealed so that nobody can change its size. All slots are down,
  /// the partitions are dealt out to the workers in equal runs.
  /// Errors: std::invalid_argument for options out of range, file_size_limit_error (the caller has SIGXFSZ ignored),
  /// std::system_error.
  [[nodiscard]] static shared_segment create(const shared_segment_options& options);

  /// Maps a segment that another process made.
  /// Errors: std::runtime_error when it is not a segment of this layout, and says why; std::system_error.
  [[nodiscard]] static shared_segment open(unique_fd fd);

  shared_segment(shared_segment&& other) noexcept;
  shared_segment& operator=(shared_segment&& other) noexcept;
  shared_segment(const shared_segment&) = delete;
  shared_segment& operator=(const shared_segment&) = delete;
  ~shared_segment();

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  [[nodiscard]] std::uint32_t workers() const noexcept { return workers_; }
  [[nodiscard]] std::uint32_t partitions() const noexcept { return partitions_; }
  [[nodiscard]] std::uint64_t ring_bytes() const noexcept { return header().layout.ring_bytes; }
  [[nodiscard]] std::int64_t started_at_ns() const noexcept { return header().layout.started_at_ns; }
  [[nodiscard]] std::string_view server_version() const noexcept;

  /// Slots run from 0 to workers() - 1.
  [[nodiscard]] worker_slot& slot(std::uint32_t index) const noexcept;

  [[nodiscard]] std::uint32_t table_version() const noexcept {
    return header().table_version.load(std::memory_order_acquire);
  }

  /// Supervisor: sets a slot's state and bumps the table's version; the caller then writes the wake eventfds.
  /// `starting` also begins the slot's next generation.
  void set_state(std::uint32_t index, worker_state state) noexcept;

  /// Who owns a partition, or an address, and in which epoch.
  [[nodiscard]] address_owner owner_of_partition(std::uint32_t partition) const noexcept {
    GROVE_DEBUG_CHECK(partition < partitions_, "no such partition");
    return address_owner::from_word(owners_[partition].load(std::memory_order_relaxed));
  }
  [[nodiscard]] address_owner owner_of(std::uint64_t hash) const noexcept {
    return owner_of_partition(partition_of(hash, partitions_));
  }

  /// The slot that a partition was dealt to when the segment was made.
  [[nodiscard]] std::uint32_t home_of_partition(std::uint32_t partition) const noexcept {
    return static_cast<std::uint32_t>(std::uint64_t{partition} * workers_ / partitions_);
  }

  /// Supervisor: gives a partition to the worker of `index`, in its next epoch, and bumps the table's version.
  void set_owner(std::uint32_t partition, std::uint32_t index) noexcept;

  /// What is written from here on stays in this process: what a process could still do that has died at this moment, for
  /// those that simulate deaths. Others' words are as they were, unless they share a page with what is written here.
  /// Errors: std::system_error.
  void cut_off();

  /// The ring that carries records from one worker to another.
  [[nodiscard]] ring_control& ring(std::uint32_t from, std::uint32_t to) const noexcept;

  /// Where its data is in the memfd.
  [[nodiscard]] std::uint64_t ring_offset(std::uint32_t from, std::uint32_t to) const noexcept;

 private:
  shared_segment(unique_fd fd, std::byte* base, std::size_t mapped_bytes) noexcept;
  [[nodiscard]] segment_header& header() const noexcept { return *reinterpret_cast<segment_header*>(base_); }
  void unmap() noexcept;

  unique_fd fd_;
  std::byte* base_ = nullptr;
  std::size_t mapped_bytes_ = 0;
  std::uint32_t workers_ = 0;
  std::uint32_t partitions_ = 0;
  std::atomic<std::uint64_t>* owners_ = nullptr;
};

/// The flight record in words, which are safe to show.
struct flight_report {
  bool running = false;
  std::int64_t running_since_ns = 0;
  std::string type;    ///< "grove.Counter"; "type 7" when the worker did not write its names.
  std::string method;  ///< "Add"
  std::string key;     ///< Printable: what the first 40 bytes have of it, and "..." when there are more.
  std::uint64_t hash = 0;
  std::uint64_t session = 0;
  std::uint64_t request = 0;

  /// "grove.Counter/alice Add".
  [[nodiscard]] std::string to_string() const { return type + "/" + key + " " + method; }
};

/// What the worker of `slot` is doing, or did when it died.
[[nodiscard]] flight_report read_flight(const worker_slot& slot);

/// The same as a text, "it was running grove.Counter/alice Add, request 7". Returns how many of the `size` bytes at `into`
/// it took.
/// Affinity: async-signal-safe.
[[nodiscard]] std::size_t write_flight(const worker_slot& slot, char* into, std::size_t size) noexcept;

}  // namespace grove
