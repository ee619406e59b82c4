// SPDX-License-Identifier: Apache-2.0
#include "base/process/shared_segment.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>

#include "base/text.h"

namespace grove {
namespace {

using testing::HasSubstr;

shared_segment make_segment(std::uint32_t workers) {
  return shared_segment::create({.workers = workers, .started_at_ns = 77, .server_version = "1.2.3"});
}

unique_fd duplicate(int fd) {
  return unique_fd{::fcntl(fd, F_DUPFD_CLOEXEC, 0)};
}

std::string repeated(std::string_view part, int times) {
  std::string text;
  for (int i = 0; i < times; ++i)
    text += part;
  return text;
}

std::string why_not_opened(unique_fd fd) {
  try {
    const auto opened = shared_segment::open(std::move(fd));
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "it was opened";
}

TEST(shared_segment, cut_off_writes_what_nobody_else_sees) {
  const auto made = make_segment(2);
  auto dying = shared_segment::open(duplicate(made.fd()));
  dying.slot(0).heartbeat.store(7);
  dying.cut_off();
  EXPECT_EQ(dying.slot(0).heartbeat.load(), 7U);
  dying.slot(0).heartbeat.store(8);
  dying.ring(0, 1).tail.store(64);
  EXPECT_EQ(dying.slot(0).heartbeat.load(), 8U);
  EXPECT_EQ(made.slot(0).heartbeat.load(), 7U);
  EXPECT_EQ(made.ring(0, 1).tail.load(), 0U);
}

TEST(shared_segment, opened_by_another_process_shows_what_its_maker_wrote) {
  const auto made = make_segment(4);
  made.slot(2).restarts.store(5);
  const auto opened = shared_segment::open(duplicate(made.fd()));
  EXPECT_EQ(opened.workers(), 4U);
  EXPECT_EQ(opened.partitions(), default_partitions);
  EXPECT_EQ(opened.started_at_ns(), 77);
  EXPECT_EQ(opened.server_version(), "1.2.3");
  EXPECT_EQ(opened.slot(2).restarts.load(), 5U);
  EXPECT_EQ(opened.slot(2).cpu.load(), -1);
  EXPECT_EQ(opened.slot(2).state.load(), worker_state::down);
}

TEST(shared_segment, size_can_not_be_changed_by_anybody) {
  const auto made = make_segment(2);
  EXPECT_EQ(::ftruncate(made.fd(), 4096), -1);
  EXPECT_EQ(::ftruncate(made.fd(), 1LL << 32U), -1);
  EXPECT_EQ(::fcntl(made.fd(), F_ADD_SEALS, F_SEAL_WRITE), -1);
}

TEST(shared_segment, deals_partitions_out_evenly) {
  const auto made = make_segment(3);
  std::array<int, 3> owned{};
  for (std::uint32_t i = 0; i < made.partitions(); ++i) {
    ++owned.at(made.owner_of_partition(i).worker());
    EXPECT_EQ(made.owner_of_partition(i), (address_owner{0, made.home_of_partition(i), 1}));
  }
  for (const int count : owned) {
    EXPECT_NEAR(count, 1024 / 3, 1);
  }
  EXPECT_EQ(made.owner_of(0).worker(), 0U);
  EXPECT_EQ(made.owner_of(~std::uint64_t{0}).worker(), 2U);
}

TEST(shared_segment, version_of_the_table_grows_with_each_change) {
  auto made = make_segment(2);
  const auto before = made.table_version();
  made.set_state(1, worker_state::starting);
  EXPECT_EQ(made.slot(1).generation.load(), 1U);
  made.set_state(1, worker_state::up);
  EXPECT_EQ(made.slot(1).generation.load(), 1U);
  made.set_owner(0, 1);
  EXPECT_EQ(made.owner_of_partition(0).worker(), 1U);
  EXPECT_EQ(made.table_version(), before + 3);
}

TEST(shared_segment, epoch_of_a_partition_grows_with_each_owner_and_is_seen_with_it) {
  auto made = make_segment(2);
  const auto opened = shared_segment::open(duplicate(made.fd()));
  made.set_owner(0, 1);
  EXPECT_EQ(opened.owner_of(0), (address_owner{0, 1, 2}));
  made.set_owner(0, 0);
  EXPECT_EQ(opened.owner_of(0), (address_owner{0, 0, 3}));
  EXPECT_EQ(opened.owner_of_partition(1), (address_owner{0, 0, 1})) << "others keep theirs";
  EXPECT_EQ(opened.home_of_partition(0), 0U);
}

TEST(shared_segment, rings_do_not_overlap) {
  const auto made = make_segment(3);
  std::set<std::uint64_t> offsets;
  for (std::uint32_t from = 0; from < 3; ++from) {
    for (std::uint32_t to = 0; to < 3; ++to) {
      offsets.insert(made.ring_offset(from, to));
    }
  }
  ASSERT_EQ(offsets.size(), 9U);
  std::uint64_t last = 0;
  for (const auto offset : offsets) {
    EXPECT_EQ(offset % shared_page_bytes, 0U);
    if (last != 0) {
      EXPECT_GE(offset, last + made.ring_bytes());
    }
    last = offset;
  }
}

TEST(shared_segment, a_ring_always_holds_the_largest_frame) {
  for (std::uint32_t workers = 1; workers <= workers_max; ++workers) {
    EXPECT_GE(default_ring_bytes(workers, 1U << 20U), (1U << 20U) + ring_record_margin);
  }
  EXPECT_EQ(default_ring_bytes(2, 1U << 20U), 2U << 20U);
  EXPECT_EQ(default_ring_bytes(8, 1U << 20U), 2U << 20U);
  EXPECT_GE(default_ring_bytes(2, 16U << 20U), (16U << 20U) + ring_record_margin);
}

TEST(shared_segment, cuts_texts_between_characters) {
  const auto made = make_segment(1);
  auto& last_exit = made.slot(0).last_exit;
  for (const std::size_t before : {0U, 1U, 2U, 3U}) {
    const std::string text = std::string(before, 'a') + repeated("\u4e2d", 60);
    last_exit.write(text);
    const std::string kept = last_exit.read();
    EXPECT_TRUE(is_utf8(kept));
    EXPECT_TRUE(text.starts_with(kept));
    EXPECT_GT(kept.size(), last_exit.capacity() - 3);
  }
}

TEST(shared_segment, tells_of_a_turn_in_words_that_are_safe_to_show) {
  const auto made = make_segment(1);
  worker_slot& slot = made.slot(0);
  slot.names.write("trial.Type\tGet\tSet\n");
  const auto told = [&slot](std::string_view key) {
    slot.flight.running(1, 0, 1, key, 0, 0, 0);
    return read_flight(slot).to_string();
  };
  EXPECT_EQ(told("k"), "trial.Type/k Set");
  EXPECT_EQ(told(repeated("\u4e2d", 30)), "trial.Type/" + repeated("\u4e2d", 13) + "... Set");
  EXPECT_EQ(told(repeated("\u4e2d", 13)), "trial.Type/" + repeated("\u4e2d", 13) + " Set");
  EXPECT_EQ(told("x" + repeated("\U0001f600", 10)), "trial.Type/x" + repeated("\U0001f600", 9) + "... Set");
  EXPECT_EQ(told("a\n2026 worker 0 \x1b[2J"), "trial.Type/a\\n2026 worker 0 \\x1b[2J Set");
  EXPECT_EQ(told("\xff\xe4"), "trial.Type/\\xff\\xe4 Set");
}

TEST(shared_segment, refuses_numbers_out_of_range_by_name) {
  EXPECT_THROW(make_segment(0), std::invalid_argument);
  EXPECT_NO_THROW(make_segment(workers_max));
  try {
    const auto made = make_segment(workers_max + 1);
    FAIL() << "it was made";
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), HasSubstr("129 workers; it has room for 1 to 128"));
  }
  EXPECT_THROW((void)shared_segment::create({.partitions = 0}), std::invalid_argument);
}

TEST(shared_segment, does_not_open_what_is_none) {
  unique_fd other{::memfd_create("other", MFD_CLOEXEC)};
  EXPECT_THAT(why_not_opened(duplicate(other.get())), HasSubstr("too few for its header"));
  ASSERT_EQ(::ftruncate(other.get(), 1 << 20), 0);
  EXPECT_THAT(why_not_opened(std::move(other)), HasSubstr("is not one"));
  EXPECT_THAT(why_not_opened(unique_fd{}), HasSubstr("fstat"));
}

TEST(shared_segment, does_not_open_one_of_another_layout) {
  const auto made = make_segment(2);
  auto* const page = static_cast<segment_header*>(
      ::mmap(nullptr, sizeof(segment_header), PROT_READ | PROT_WRITE, MAP_SHARED, made.fd(), 0));
  ASSERT_NE(static_cast<void*>(page), MAP_FAILED);
  ++page->layout.layout_version;
  EXPECT_THAT(why_not_opened(duplicate(made.fd())),
              HasSubstr("layout version " + std::to_string(segment_layout_version + 1) + " where this program has " +
                        std::to_string(segment_layout_version)));
  --page->layout.layout_version;
  page->layout.workers = 1000;
  EXPECT_THAT(why_not_opened(duplicate(made.fd())), HasSubstr("counts are out of range"));
  page->layout.workers = 3;
  EXPECT_THAT(why_not_opened(duplicate(made.fd())), HasSubstr("another build"));
  page->layout.workers = 2;
  EXPECT_EQ(why_not_opened(duplicate(made.fd())), "it was opened");
  ::munmap(page, sizeof(segment_header));
}

TEST(shared_segment, flight_record_of_a_killed_worker_names_what_it_ran) {
  const auto made = make_segment(1);
  const ::pid_t child = ::fork();
  if (child == 0) {
    worker_slot& slot = made.slot(0);
    slot.names.write("grove.Echo\tEcho\tSleep\ngrove.Counter\tAdd\tGet\n");
    slot.flight.running(123, 1, 0, "alice", 42, 7, 9);
    ::raise(SIGKILL);
  }
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  const flight_report seen = read_flight(made.slot(0));
  EXPECT_TRUE(seen.running);
  EXPECT_EQ(seen.running_since_ns, 123);
  EXPECT_EQ(seen.to_string(), "grove.Counter/alice Add");
  EXPECT_EQ(seen.hash, 42U);
  EXPECT_EQ(seen.session, 7U);
  EXPECT_EQ(seen.request, 9U);
}

TEST(shared_segment, flight_record_of_a_worker_that_has_run_nothing_blames_no_turn) {
  auto made = make_segment(1);
  made.slot(0).names.write("grove.Counter\tAdd");
  std::array<char, 100> line{};
  const std::size_t size = write_flight(made.slot(0), line.data(), line.size());
  EXPECT_EQ(std::string_view(line.data(), size), "it has run no turn");
}

TEST(shared_segment, flight_record_cuts_long_keys_and_shows_indexes_without_names) {
  const auto made = make_segment(1);
  worker_slot& slot = made.slot(0);
  slot.flight.running(1, 3, 4, std::string(40, 'k'), 0, 0, 0);
  EXPECT_EQ(read_flight(slot).key, std::string(40, 'k'));
  slot.flight.running(1, 3, 4, std::string(41, 'k'), 0, 0, 0);
  EXPECT_EQ(read_flight(slot).to_string(), "type 3/" + std::string(40, 'k') + "... method 4");
  slot.flight.idle();
  EXPECT_FALSE(read_flight(slot).running);
}

TEST(shared_segment, a_text_is_read_whole_or_not_at_all) {
  const auto made = make_segment(1);
  auto& text = made.slot(0).last_exit;
  EXPECT_EQ(text.read(), "");
  text.write("exit status 3");
  EXPECT_EQ(text.read(), "exit status 3");
  text.write(std::string(200, 'x'));
  EXPECT_EQ(text.read(), std::string(128, 'x'));
  text.write("");
  EXPECT_EQ(text.read(), "");
}

TEST(shared_segment, metrics_are_listed_once_with_names_and_help) {
  const auto made = make_segment(1);
  auto& metrics = made.slot(0).metrics;
  metrics[metric::turns].add(3);
  metrics[metric::actors].add(2);
  metrics[metric::actors].subtract();
  EXPECT_EQ(metric_table[static_cast<std::size_t>(metric::turns)].name, "turns");
  EXPECT_EQ(metrics[metric::actors].get(), 1U);
  metrics.reset_gauges();
  EXPECT_EQ(metrics[metric::actors].get(), 0U);
  EXPECT_EQ(metrics[metric::turns].get(), 3U);
  std::set<std::string_view> names;
  for (const auto& info : metric_table) {
    names.insert(info.name);
    EXPECT_FALSE(info.help.empty());
  }
  EXPECT_EQ(names.size(), metric_table.size());
}

}  // namespace
}  // namespace grove
