// SPDX-License-Identifier: Apache-2.0
#include "worker/hub/stack_capture.h"

#include <cxxabi.h>
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <system_error>

#include "base/text.h"
#include "worker/greenlet/greenlet.h"
#include "worker/greenlet/outer_flows.h"

namespace grove {

namespace {
constexpr int capture_signal = SIGURG;
constexpr std::size_t signal_stack_bytes = 64UL * 1024;

struct dwarf_eh_bases {
  void* text;
  void* data;
  void* function;
};
// The unwinder's own look-up, which no header declares: null for an address that it cannot unwind from.
extern "C" const void* _Unwind_Find_FDE(const void* address, dwarf_eh_bases* bases);

bool can_unwind_from(std::uintptr_t address) noexcept {
  dwarf_eh_bases bases{};
  return _Unwind_Find_FDE(reinterpret_cast<const void*>(address), &bases) != nullptr;
}

/// While it exists, a thread that was interrupted in a stub of the linker's (a call into a shared library) is to the
/// unwinder where the stub was called: mold makes stubs without unwind information.
class outside_stub {
 public:
  explicit outside_stub(mcontext_t& interrupted) noexcept : registers_(interrupted), kept_(interrupted) {
    const std::uintptr_t at = address();
    if (can_unwind_from(at)) return;
#if defined(__x86_64__)
    greg_t& top = registers_.gregs[REG_RSP];
    const std::uintptr_t caller = *reinterpret_cast<const std::uintptr_t*>(top) - 1;
    if (!can_unwind_from(caller)) return;
    registers_.gregs[REG_RIP] = static_cast<greg_t>(caller);
    top += static_cast<greg_t>(sizeof caller);
#else
    const std::uintptr_t caller = registers_.regs[30] - 1;
    if (!can_unwind_from(caller)) return;
    registers_.pc = caller;
#endif
    stub_ = at;
  }
  ~outside_stub() {
    registers_ = kept_;
  }
  outside_stub(const outside_stub&) = delete;
  outside_stub& operator=(const outside_stub&) = delete;

  [[nodiscard]] std::uintptr_t address() const noexcept {
#if defined(__x86_64__)
    return static_cast<std::uintptr_t>(registers_.gregs[REG_RIP]);
#else
    return registers_.pc;
#endif
  }
  /// Where the thread is in the stub; 0 if it is in none.
  [[nodiscard]] std::uintptr_t stub() const noexcept {
    return stub_;
  }

 private:
  mcontext_t& registers_;
  const mcontext_t kept_;
  std::uintptr_t stub_ = 0;
};
}  // namespace

/// Filled in by the signal handler, which can do little else than write to it.
struct stack_capture::request {
  pthread_t thread{};
  overflow_label label = nullptr;
  sem_t answered{};
  std::atomic<bool> is_filled{false};  // hands the rest over, there and back: the semaphore alone says so to nobody

  char name[text_bytes_max];
  std::size_t name_bytes = 0;
  char labelled[text_bytes_max];
  std::size_t label_bytes = 0;
  bool ignored = false;
  void* frames[frames_max];
  std::size_t frame_count = 0;
  void* interrupted_at = nullptr;
  bool is_inside = false;  // of what was interrupted

  static _Unwind_Reason_Code add_frame(_Unwind_Context* at, void* into) {
    auto& self = *static_cast<request*>(into);
    int before_instruction = 0;
    void* const address = reinterpret_cast<void*>(_Unwind_GetIPInfo(at, &before_instruction));
    if (address == nullptr) return _URC_END_OF_STACK;
    // What lies above the interrupted instruction is the handler's own.
    self.is_inside |= self.interrupted_at == nullptr || address == self.interrupted_at;
    if (!self.is_inside) return _URC_NO_REASON;
    self.frames[self.frame_count++] = before_instruction != 0 ? address : static_cast<char*>(address) - 1;
    return self.frame_count < frames_max ? _URC_NO_REASON : _URC_END_OF_STACK;
  }

  void fill(ucontext_t& interrupted) noexcept {
    const greenlets::detail::thread_hot* const hot = greenlets::detail::this_thread;
    name_bytes = label_bytes = frame_count = 0;
    ignored = false;
    if (hot != nullptr && hot->current != nullptr) {
      const greenlet& running = *hot->current;
      name_bytes = write_printable(running.name(), name, text_bytes_max);
      if (label != nullptr) label_bytes = std::min(label(running, labelled, text_bytes_max), text_bytes_max);
      ignored = running.slots().stalls_ignored != 0;
    }
    fill_own_frames(interrupted);
    is_inside = true;
    if (hot != nullptr && hot->current != nullptr && frame_count < frames_max)
      greenlets::detail::unwind_outer_flows(*hot->current, &add_frame, this);
  }

  void fill_own_frames(ucontext_t& interrupted) noexcept {
    is_inside = false;
    const outside_stub called(interrupted.uc_mcontext);
    if (called.stub() != 0) frames[frame_count++] = reinterpret_cast<void*>(called.stub());
    interrupted_at = reinterpret_cast<void*>(called.address());
    _Unwind_Backtrace(&add_frame, this);
    if (is_inside) return;
    // A sanitizer may run the handler later than where the thread was interrupted: then everything is shown.
    interrupted_at = nullptr;
    _Unwind_Backtrace(&add_frame, this);
  }

  static void on_signal(int /*number*/, siginfo_t* info, void* context) {
    if (info->si_code != SI_QUEUE || info->si_pid != ::getpid() || info->si_value.sival_ptr == nullptr) return;
    const int kept = errno;
    auto& self = *static_cast<request*>(info->si_value.sival_ptr);
    if (self.is_filled.load(std::memory_order_acquire)) return;
    self.fill(*static_cast<ucontext_t*>(context));
    self.is_filled.store(true, std::memory_order_release);
    ::sem_post(&self.answered);
    errno = kept;
  }
};

stack_capture::stack_capture(overflow_label label) : request_(std::make_unique<request>()) {
  request_->thread = ::pthread_self();
  request_->label = label;
  ::sem_init(&request_->answered, 0, 0);
  struct sigaction action {};
  action.sa_sigaction = &request::on_signal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  sigemptyset(&action.sa_mask);
  if (::sigaction(capture_signal, &action, nullptr) != 0)
    throw std::system_error(errno, std::system_category(), "sigaction for the stall monitor");
  stack_t present{};
  if (::sigaltstack(nullptr, &present) != 0 || (static_cast<unsigned>(present.ss_flags) & SS_DISABLE) == 0) return;
  // A greenlet's stack may have less left than the kernel needs for the signal's frame.
  signal_stack_ = std::make_unique<std::byte[]>(signal_stack_bytes);
  stack_t alternate{};
  alternate.ss_sp = signal_stack_.get();
  alternate.ss_size = signal_stack_bytes;
  if (::sigaltstack(&alternate, nullptr) != 0)
    throw std::system_error(errno, std::system_category(), "sigaltstack for the stall monitor");
}

stack_capture::~stack_capture() {
  stack_t present{};
  if (signal_stack_ != nullptr && ::sigaltstack(nullptr, &present) == 0 && present.ss_sp == signal_stack_.get()) {
    present.ss_flags = SS_DISABLE;
    ::sigaltstack(&present, nullptr);
  }
  // A signal that is still on its way (the thread blocks it) must find what it writes to.
  if (unanswered_) (void)request_.release();
}

std::optional<seen_stack> stack_capture::take(steady_duration patience) {
  request& asked = *request_;
  if (unanswered_) {
    if (::sem_trywait(&asked.answered) != 0) return std::nullopt;
    unanswered_ = false;
  }
  asked.is_filled.store(false, std::memory_order_release);
  sigval value{};
  value.sival_ptr = &asked;
  if (::pthread_sigqueue(asked.thread, capture_signal, value) != 0) return std::nullopt;
  timespec until{};
  ::clock_gettime(CLOCK_MONOTONIC, &until);
  const auto end = std::chrono::seconds(until.tv_sec) + std::chrono::nanoseconds(until.tv_nsec) + patience;
  until.tv_sec = std::chrono::duration_cast<std::chrono::seconds>(end).count();
  until.tv_nsec = (end % std::chrono::seconds(1)).count();
  int waited = 0;
  do {
    waited = ::sem_clockwait(&asked.answered, CLOCK_MONOTONIC, &until);
  } while (waited != 0 && errno == EINTR);
  unanswered_ = waited != 0;
  if (unanswered_ || !asked.is_filled.load(std::memory_order_acquire)) return std::nullopt;
  seen_stack seen;
  seen.greenlet.assign(asked.name, asked.name_bytes);
  seen.label.assign(asked.labelled, asked.label_bytes);
  seen.ignored = asked.ignored;
  seen.frames.assign(asked.frames, asked.frames + asked.frame_count);
  return seen;
}

namespace {

std::string text_of_frame(void* frame) {
  const auto with_offset = [frame](const std::string& name, const void* from) {
    char text[32];
    std::snprintf(text, sizeof text, "+0x%zx",
                  static_cast<std::size_t>(static_cast<const char*>(frame) - static_cast<const char*>(from)));
    return name + text;
  };
  Dl_info found{};
  if (::dladdr(frame, &found) == 0 || found.dli_fname == nullptr) return with_offset("", nullptr);
  if (found.dli_sname == nullptr) {
    const char* const slash = std::strrchr(found.dli_fname, '/');
    return with_offset(slash == nullptr ? found.dli_fname : slash + 1, found.dli_fbase);
  }
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> name(abi::__cxa_demangle(found.dli_sname, nullptr, nullptr, &status),
                                                    &std::free);
  return with_offset(status == 0 ? name.get() : found.dli_sname, found.dli_saddr);
}

}  // namespace

std::vector<std::string> describe_frames(const std::vector<void*>& frames) {
  std::vector<std::string> lines;
  lines.reserve(frames.size());
  for (void* const frame : frames)
    lines.push_back(text_of_frame(frame));
  return lines;
}

}  // namespace grove
