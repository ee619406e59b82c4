// SPDX-License-Identifier: Apache-2.0
#include "worker/greenlet/overflow_report.h"

#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "base/check.h"
#include "base/last_words.h"
#include "base/text.h"
#include "worker/greenlet/internal/thread_state.h"

namespace grove {

namespace {

using greenlets::detail::thread_state;

/// A line for stderr, built without anything that a signal handler must not call.
class report_line {
 public:
  void add(std::string_view text) noexcept {
    const std::size_t bytes = std::min(text.size(), sizeof(bytes_) - used_);
    std::memcpy(bytes_ + used_, text.data(), bytes);
    used_ += bytes;
  }
  /// What others wrote.
  void add_shown(std::string_view text) noexcept {
    used_ += write_printable(text, bytes_ + used_, sizeof(bytes_) - used_);
  }
  void add_label(overflow_label label, const greenlet& running) noexcept {
    used_ += std::min(label(running, bytes_ + used_, sizeof(bytes_) - used_), sizeof(bytes_) - used_);
  }
  void write() const noexcept { last_words{}.say({bytes_, used_}); }

 private:
  char bytes_[1024];
  std::size_t used_ = 0;
};

void on_fault(int, siginfo_t* info, void*);

/// Makes on_fault() the process's handler, once. Returns the one that was there.
const struct sigaction& install_handler() {
  static const struct sigaction before = [] {
    struct sigaction action {};
    struct sigaction previous {};
    action.sa_sigaction = &on_fault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    GROVE_CHECK(::sigaction(SIGSEGV, &action, &previous) == 0, "sigaction");
    return previous;
  }();
  return before;
}

void on_fault(int, siginfo_t* info, void*) {
  const auto* thread = static_cast<const thread_state*>(greenlets::detail::this_thread);
  const bool sent = info->si_code <= 0;  // By kill() or raise(): nothing has faulted.
  if (!sent && thread != nullptr && thread->current->running_stack().guards(info->si_addr)) {
    report_line line;
    line.add("stack overflow in greenlet '");
    line.add_shown(thread->current->name());
    line.add("'");
    if (thread->label != nullptr) {
      line.add(": ");
      line.add_label(thread->label, *thread->current);
    }
    line.add("\n");
    line.write();
    std::abort();
  }
  // Not ours: the instruction faults again under the handler that was there, and what was sent is sent again.
  ::sigaction(SIGSEGV, &install_handler(), nullptr);
  if (sent) ::raise(SIGSEGV);
}

}  // namespace

void install_overflow_report(overflow_label label) {
  thread_state& thread = greenlets::detail::enter_thread();
  thread.label = label;
  if (thread.fault_stack == nullptr) thread.fault_stack = std::make_unique<greenlets::detail::signal_stack>();
  install_handler();
}

}  // namespace grove
