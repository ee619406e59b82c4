// SPDX-License-Identifier: Apache-2.0
#include "worker/greenlet/overflow_report.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "base/check.h"
#include "worker/greenlet/internal/thread_state.h"

namespace grove {

namespace {

using greenlets::detail::thread_state;

constexpr std::size_t signal_stack_bytes = 64 * 1024;

/// A line for stderr, built without anything that a signal handler must not call.
class report_line {
 public:
  void add(std::string_view text) noexcept {
    const std::size_t bytes = std::min(text.size(), sizeof(bytes_) - used_);
    std::memcpy(bytes_ + used_, text.data(), bytes);
    used_ += bytes;
  }
  void add_label(overflow_label label, const greenlet& running) noexcept {
    used_ += std::min(label(running, bytes_ + used_, sizeof(bytes_) - used_), sizeof(bytes_) - used_);
  }
  void write() const noexcept { [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, bytes_, used_); }

 private:
  char bytes_[1024];
  std::size_t used_ = 0;
};

void on_fault(int, siginfo_t* info, void*) {
  const auto* thread = static_cast<const thread_state*>(greenlets::detail::this_thread);
  if (thread != nullptr && thread->current->running_stack().guards(info->si_addr)) {
    report_line line;
    line.add("stack overflow in greenlet '");
    line.add(thread->current->name());
    line.add("'");
    if (thread->label != nullptr) {
      line.add(": ");
      line.add_label(thread->label, *thread->current);
    }
    line.add("\n");
    line.write();
    std::abort();
  }
  // Not ours: the instruction faults again under the handler that was there.
  if (thread != nullptr && thread->signal_stack != nullptr)
    ::sigaction(SIGSEGV, &thread->previous_fault_action, nullptr);
  else
    ::signal(SIGSEGV, SIG_DFL);
}

}  // namespace

void install_overflow_report(overflow_label label) {
  thread_state& thread = greenlets::detail::enter_thread();
  thread.label = label;
  if (thread.signal_stack != nullptr) return;
  thread.signal_stack = std::make_unique<std::byte[]>(signal_stack_bytes);
  stack_t alternate{};
  alternate.ss_sp = thread.signal_stack.get();
  alternate.ss_size = signal_stack_bytes;
  GROVE_CHECK(::sigaltstack(&alternate, nullptr) == 0, "sigaltstack");
  struct sigaction action {};
  action.sa_sigaction = &on_fault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  GROVE_CHECK(::sigaction(SIGSEGV, &action, &thread.previous_fault_action) == 0, "sigaction");
}

}  // namespace grove
