// SPDX-License-Identifier: Apache-2.0
#include "worker/main/crash_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "base/last_words.h"
#include "tests/support/core_dumps.h"
#include "worker/greenlet/greenlet.h"
#include "worker/greenlet/overflow_report.h"
#include "worker/greenlet/sanitizer.h"

// Sanitizers have a malloc of their own, and handlers for bad accesses.
#if !defined(GROVE_ASAN) && !defined(GROVE_TSAN)
namespace {

// The program's own malloc, which can be where the signal comes from. From then on the heap is as good as locked: whoever
// wants memory would wait for ever, and here the process ends with a status of its own.
int signal_in_malloc = 0;
bool heap_is_locked = false;
constexpr int status_of_allocation = 99;

void enter_heap() {
  if (heap_is_locked) {
    grove::last_words{}.say("the report wanted memory\n");
    ::_exit(status_of_allocation);
  }
  if (signal_in_malloc != 0) {
    heap_is_locked = true;
    ::raise(signal_in_malloc);
  }
}

}  // namespace

extern "C" {
void* __libc_malloc(std::size_t bytes);                     // NOLINT(bugprone-reserved-identifier)
void* __libc_calloc(std::size_t count, std::size_t bytes);  // NOLINT(bugprone-reserved-identifier)
void* __libc_realloc(void* room, std::size_t bytes);        // NOLINT(bugprone-reserved-identifier)
void* malloc(std::size_t bytes) {
  enter_heap();
  return __libc_malloc(bytes);
}
void* calloc(std::size_t count, std::size_t bytes) {
  enter_heap();
  return __libc_calloc(count, bytes);
}
void* realloc(void* room, std::size_t bytes) {
  enter_heap();
  return __libc_realloc(room, bytes);
}
}
#endif

namespace grove {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::KilledBySignal;

/// A worker that runs a turn, as far as its crash report sees it.
class reported_worker {
 public:
  reported_worker() {
    test::disable_core_dumps();
    slot_.names.write("grove.Counter\tAdd\tGet\ngrove.Echo\tEcho\tSpin");
    slot_.flight.running(1, 1, 1, "a key that is longer than a string keeps in itself", 0, 0, 7);
    ::alarm(30);  // Whoever faults for ever is ended.
    install_overflow_report();
  }

 private:
  shared_segment segment_ = shared_segment::create({});
  worker_slot& slot_ = segment_.slot(0);
  line_writer log_{STDERR_FILENO, [](const log_gap&) { return std::string{}; }};
  crash_report report_{slot_, log_};
};

const std::string what_ran =
    "it was running grove.Echo/a key that is longer than a string keeps\\.\\.\\. Spin, request 7\n";
const std::string frame = "test_crash_worker\\(.*\\+0x[0-9a-f]+\\) \\[0x[0-9a-f]+\\]\n";

class crash_report_of_a_signal : public testing::TestWithParam<int> {};

TEST_P(crash_report_of_a_signal, names_the_turn_and_the_stack) {
  const auto program = [] {
    const reported_worker worker;
    greenlet::make([] { ::raise(GetParam()); })->resume();
  };
  EXPECT_EXIT(program(), KilledBySignal(GetParam()), AllOf(ContainsRegex(what_ran), ContainsRegex(frame)));
}

#if !defined(GROVE_ASAN) && !defined(GROVE_TSAN)
TEST_P(crash_report_of_a_signal, wants_no_memory_when_it_came_from_inside_malloc) {
  const auto program = [] {
    const reported_worker worker;
    greenlet::make([] {
      signal_in_malloc = GetParam();
      std::free(std::malloc(1));
    })->resume();
  };
  EXPECT_EXIT(program(), KilledBySignal(GetParam()), AllOf(ContainsRegex(what_ran), ContainsRegex(frame)));
}
#endif

INSTANTIATE_TEST_SUITE_P(fatal, crash_report_of_a_signal, testing::Values(SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV));

#if !defined(GROVE_ASAN) && !defined(GROVE_TSAN)
TEST(crash_report, of_a_bad_access_has_its_address) {
  const auto program = [] {
    const reported_worker worker;
    void* const forbidden = ::mmap(reinterpret_cast<void*>(0x7654321000), 4096, PROT_NONE,
                                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    greenlet::make([forbidden] { *static_cast<volatile char*>(forbidden) = 1; })->resume();
  };
  EXPECT_EXIT(program(), KilledBySignal(SIGSEGV),
              AllOf(ContainsRegex("grove-worker [0-9]+: Segmentation fault at address 0x7654321000\n"),
                    ContainsRegex(what_ran), ContainsRegex(frame)));
}

[[gnu::noinline]] int go_down(int depth) {
  volatile char room[512]{};
  room[0] = static_cast<char>(depth);
  return depth == 0 ? 0 : go_down(depth - 1) + room[0];
}

TEST(crash_report, of_a_stack_overflow_comes_after_the_line_that_names_the_greenlet) {
  const auto program = [] {
    const reported_worker worker;
    greenlet::make([] { std::exit(go_down(1'000'000'000)); }, {.name = "deep"})->resume();
  };
  EXPECT_EXIT(program(), KilledBySignal(SIGABRT),
              ContainsRegex("stack overflow in greenlet 'deep'\n.*grove-worker [0-9]+: Aborted\n" + what_ran));
}
#endif

}  // namespace
}  // namespace grove
