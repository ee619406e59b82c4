// SPDX-License-Identifier: Apache-2.0
#include "base/process/shared_segment.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <type_traits>
#include <utility>

#include "base/check.h"
#include "base/signal_text.h"
#include "base/text.h"

namespace grove {

namespace {

static_assert(std::is_standard_layout_v<worker_slot> && std::is_standard_layout_v<segment_header>);
static_assert(std::is_standard_layout_v<ring_control>);
static_assert(std::atomic<worker_state>::is_always_lock_free);
static_assert(std::atomic<std::uint16_t>::is_always_lock_free);
static_assert(std::atomic<std::int64_t>::is_always_lock_free);
static_assert(sizeof(flight_record) <= 2 * cache_line_bytes);

constexpr std::uint64_t ring_bytes_default = 2U << 20U;
constexpr std::uint64_t ring_bytes_limit = 1U << 30U;
constexpr std::uint64_t all_rings_bytes = 128U << 20U;
constexpr std::uint32_t partitions_max = 65536;

constexpr std::uint64_t whole_pages(std::uint64_t bytes) noexcept {
  return (bytes + shared_page_bytes - 1) / shared_page_bytes * shared_page_bytes;
}

[[noreturn]] void fail(const char* what) {
  throw std::system_error{errno, std::generic_category(), std::string{"shared segment: "} + what};
}

[[noreturn]] void refuse(const std::string& why) {
  throw std::runtime_error{"shared segment: " + why};
}

[[noreturn]] void refuse_file_size(std::uint64_t needed) {
  constexpr std::uint64_t kib = 1U << 10U;
  rlimit limit{};
  ::getrlimit(RLIMIT_FSIZE, &limit);
  const std::uint64_t kibs = (needed + kib - 1) / kib;
  throw file_size_limit_error{"the workers share " + std::to_string(kibs) +
                              " KiB of memory, for which the limit on the size of files counts as well, and that is " +
                              std::to_string(limit.rlim_cur / kib) + " KiB: raise it (ulimit -f " +
                              std::to_string(kibs) + ", LimitFSIZE=" + std::to_string(kibs) +
                              "K in a systemd unit), or have fewer --workers"};
}

/// The layout that follows from the counts.
segment_layout plan_layout(std::uint32_t workers, std::uint32_t partitions, std::uint64_t ring_bytes) noexcept {
  const std::uint64_t rings = std::uint64_t{workers} * workers;
  segment_layout plan{};
  plan.magic = segment_magic;
  plan.layout_version = segment_layout_version;
  plan.workers = workers;
  plan.partitions = partitions;
  plan.slot_bytes = sizeof(worker_slot);
  plan.ring_bytes = ring_bytes;
  plan.owners_offset = whole_pages(sizeof(segment_header));
  plan.slots_offset = plan.owners_offset + whole_pages(partitions * sizeof(std::atomic<std::uint64_t>));
  plan.controls_offset = plan.slots_offset + std::uint64_t{workers} * sizeof(worker_slot);
  plan.data_offset = plan.controls_offset + whole_pages(rings * sizeof(ring_control));
  plan.total_bytes = plan.data_offset + rings * ring_bytes;
  return plan;
}

void check_options(const shared_segment_options& options) {
  if (options.workers < 1 || options.workers > workers_max) {
    throw std::invalid_argument{"shared segment: " + std::to_string(options.workers) +
                                " workers; it has room for 1 to " + std::to_string(workers_max)};
  }
  if (options.partitions < 1 || options.partitions > partitions_max) {
    throw std::invalid_argument{"shared segment: " + std::to_string(options.partitions) +
                                " partitions; it has room for 1 to " + std::to_string(partitions_max)};
  }
  if (options.ring_bytes > ring_bytes_limit) {
    throw std::invalid_argument{"shared segment: rings of " + std::to_string(options.ring_bytes) + " bytes; at most " +
                                std::to_string(ring_bytes_limit)};
  }
}

std::byte* map_front(int fd, std::size_t bytes) {
  void* const place = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (place == MAP_FAILED) fail("mmap");
  return static_cast<std::byte*>(place);
}

/// The layout that a memfd says it has, checked.
segment_layout read_layout(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) fail("fstat");
  segment_layout layout{};
  if (static_cast<std::uint64_t>(info.st_size) < sizeof(segment_header)) {
    refuse(std::to_string(info.st_size) + " bytes are too few for its header");
  }
  if (::pread(fd, &layout, sizeof layout, 0) != static_cast<ssize_t>(sizeof layout)) fail("pread");
  if (layout.magic != segment_magic) refuse("descriptor " + std::to_string(fd) + " is not one");
  if (layout.layout_version != segment_layout_version) {
    refuse("layout version " + std::to_string(layout.layout_version) + " where this program has " +
           std::to_string(segment_layout_version));
  }
  if (layout.workers < 1 || layout.workers > workers_max || layout.partitions < 1 ||
      layout.partitions > partitions_max || layout.ring_bytes == 0 || layout.ring_bytes > ring_bytes_limit ||
      layout.ring_bytes % shared_page_bytes != 0) {
    refuse("its counts are out of range");
  }
  segment_layout expected = plan_layout(layout.workers, layout.partitions, layout.ring_bytes);
  expected.started_at_ns = layout.started_at_ns;
  expected.server_version = layout.server_version;
  if (!(layout == expected)) refuse("it was made by another build of the same layout version");
  if (static_cast<std::uint64_t>(info.st_size) != layout.total_bytes) {
    refuse(std::to_string(info.st_size) + " bytes where its header says " + std::to_string(layout.total_bytes));
  }
  return layout;
}

}  // namespace

std::uint64_t default_ring_bytes(std::uint32_t workers, std::uint32_t frame_bytes_max) noexcept {
  const std::uint64_t rings = std::uint64_t{workers} * workers;
  const std::uint64_t share = whole_pages(all_rings_bytes / (rings == 0 ? 1 : rings));
  const std::uint64_t least = whole_pages(frame_bytes_max + ring_record_margin);
  return std::max(std::min(share, ring_bytes_default), least);
}

shared_segment shared_segment::create(const shared_segment_options& options) {
  check_options(options);
  const std::uint64_t ring_bytes = options.ring_bytes != 0
                                       ? whole_pages(options.ring_bytes)
                                       : default_ring_bytes(options.workers, options.frame_bytes_max);
  segment_layout plan = plan_layout(options.workers, options.partitions, ring_bytes);
  plan.started_at_ns = options.started_at_ns;
  options.server_version.copy(plan.server_version.data(), plan.server_version.size() - 1);

  unique_fd fd{::memfd_create("grove", MFD_CLOEXEC | MFD_ALLOW_SEALING)};
  if (!fd) fail("memfd_create");
  if (::ftruncate(fd.get(), static_cast<off_t>(plan.total_bytes)) != 0) {
    if (errno == EFBIG) refuse_file_size(plan.total_bytes);
    fail("ftruncate");
  }
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) fail("sealing");

  std::byte* const base = map_front(fd.get(), plan.data_offset);
  reinterpret_cast<segment_header*>(base)->layout = plan;
  shared_segment segment{std::move(fd), base, plan.data_offset};
  for (std::uint32_t i = 0; i < plan.partitions; ++i) {
    segment.owners_[i].store(address_owner{0, segment.home_of_partition(i), 1}.word(), std::memory_order_relaxed);
  }
  for (std::uint32_t i = 0; i < plan.workers; ++i) {
    segment.slot(i).cpu.store(-1, std::memory_order_relaxed);
  }
  return segment;
}

shared_segment shared_segment::open(unique_fd fd) {
  const segment_layout layout = read_layout(fd.get());
  std::byte* const base = map_front(fd.get(), layout.data_offset);
  return shared_segment{std::move(fd), base, layout.data_offset};
}

shared_segment::shared_segment(unique_fd fd, std::byte* base, std::size_t mapped_bytes) noexcept
    : fd_{std::move(fd)}, base_{base}, mapped_bytes_{mapped_bytes} {
  workers_ = header().layout.workers;
  partitions_ = header().layout.partitions;
  owners_ = reinterpret_cast<std::atomic<std::uint64_t>*>(base_ + header().layout.owners_offset);
}

shared_segment::shared_segment(shared_segment&& other) noexcept
    : fd_{std::move(other.fd_)},
      base_{std::exchange(other.base_, nullptr)},
      mapped_bytes_{std::exchange(other.mapped_bytes_, 0)},
      workers_{other.workers_},
      partitions_{other.partitions_},
      owners_{std::exchange(other.owners_, nullptr)} {}

shared_segment& shared_segment::operator=(shared_segment&& other) noexcept {
  if (this == &other) return *this;
  unmap();
  fd_ = std::move(other.fd_);
  base_ = std::exchange(other.base_, nullptr);
  mapped_bytes_ = std::exchange(other.mapped_bytes_, 0);
  workers_ = other.workers_;
  partitions_ = other.partitions_;
  owners_ = std::exchange(other.owners_, nullptr);
  return *this;
}

shared_segment::~shared_segment() {
  unmap();
}

void shared_segment::unmap() noexcept {
  if (base_ != nullptr) ::munmap(base_, mapped_bytes_);
  base_ = nullptr;
}

std::string_view shared_segment::server_version() const noexcept {
  const auto& text = header().layout.server_version;
  return {text.data(), ::strnlen(text.data(), text.size())};
}

worker_slot& shared_segment::slot(std::uint32_t index) const noexcept {
  GROVE_CHECK(index < workers_, "no such worker slot");
  return reinterpret_cast<worker_slot*>(base_ + header().layout.slots_offset)[index];
}

void shared_segment::set_state(std::uint32_t index, worker_state state) noexcept {
  worker_slot& changed = slot(index);
  // Down first, so that nobody sees a living worker with the generation of a dead one.
  if (state == worker_state::starting) {
    changed.state.store(worker_state::down, std::memory_order_release);
    changed.generation.fetch_add(1, std::memory_order_acq_rel);
  }
  changed.state.store(state, std::memory_order_release);
  header().table_version.fetch_add(1, std::memory_order_release);
}

void shared_segment::cut_off() {
  if (::mmap(base_, mapped_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd_.get(), 0) == MAP_FAILED)
    fail("mmap of a private view");
}

void shared_segment::set_owner(std::uint32_t partition, std::uint32_t index) noexcept {
  GROVE_CHECK(partition < partitions_ && index < workers_, "no such partition or worker slot");
  const std::uint32_t epoch = owner_of_partition(partition).epoch() + 1;
  owners_[partition].store(address_owner{0, index, epoch}.word(), std::memory_order_release);
  header().table_version.fetch_add(1, std::memory_order_release);
}

ring_control& shared_segment::ring(std::uint32_t from, std::uint32_t to) const noexcept {
  GROVE_CHECK(from < workers_ && to < workers_, "no such ring");
  const std::size_t index = std::size_t{from} * workers_ + to;
  return reinterpret_cast<ring_control*>(base_ + header().layout.controls_offset)[index];
}

std::uint64_t shared_segment::ring_offset(std::uint32_t from, std::uint32_t to) const noexcept {
  GROVE_CHECK(from < workers_ && to < workers_, "no such ring");
  const std::uint64_t index = std::uint64_t{from} * workers_ + to;
  return header().layout.data_offset + index * header().layout.ring_bytes;
}

namespace {

/// The part with number `index` of a text with separators; empty when there is none.
std::string_view nth_part(std::string_view text, char separator, std::size_t index) noexcept {
  for (; index > 0; --index) {
    const std::size_t end = text.find(separator);
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find(separator));
}

struct method_names {
  std::string_view type;  ///< Empty when the worker did not write its names; as is the method's.
  std::string_view method;
};

method_names names_of(std::string_view names, const flight_record::snapshot& seen) noexcept {
  const std::string_view line = nth_part(names, '\n', seen.type);
  return {nth_part(line, '\t', 0), nth_part(line, '\t', std::size_t{seen.method} + 1)};
}

void add_shown(signal_text& to, std::string_view text) noexcept {
  to.took(write_printable(text, to.end(), to.room()));
}

}  // namespace

std::size_t write_flight(const worker_slot& slot, char* into, std::size_t size) noexcept {
  const flight_record::snapshot seen = slot.flight.read();
  std::array<char, decltype(slot.names)::capacity()> names{};
  const auto [type, method] = names_of(slot.names.read(names), seen);
  signal_text text{into, size};
  if (seen.running_since_ns == 0 && seen.hash == 0 && seen.key().empty())
    return text.add("it has run no turn").view().size();
  text.add(seen.running_since_ns != 0 ? "it was running " : "it ran no turn; the last one was ");
  type.empty() ? (void)text.add("type ").add_number(seen.type) : add_shown(text, type);
  text.add("/");
  add_shown(text, seen.has_whole_key() ? seen.key() : whole_characters(seen.key()));
  text.add(seen.has_whole_key() ? " " : "... ");
  method.empty() ? (void)text.add("method ").add_number(seen.method) : add_shown(text, method);
  text.add(", request ").add_number(seen.request);
  return text.view().size();
}

flight_report read_flight(const worker_slot& slot) {
  const flight_record::snapshot seen = slot.flight.read();
  const std::string names = slot.names.read();
  const auto [type, method] = names_of(names, seen);
  flight_report report;
  report.running = seen.running_since_ns != 0;
  report.running_since_ns = seen.running_since_ns;
  report.type = type.empty() ? "type " + std::to_string(seen.type) : printable(type);
  report.method = method.empty() ? "method " + std::to_string(seen.method) : printable(method);
  // Of a worker that runs it may be torn, half of one key and half of another.
  report.key = printable(seen.has_whole_key() ? seen.key() : whole_characters(seen.key()));
  if (!seen.has_whole_key()) report.key += "...";
  report.hash = seen.hash;
  report.session = seen.session;
  report.request = seen.request;
  return report;
}

}  // namespace grove
