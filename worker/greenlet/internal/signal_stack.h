// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signal.h>

#include <cstddef>
#include <memory>

#include "base/check.h"

namespace grove::greenlets::detail {

/// The alternate signal stack of the thread that makes it, which also has to destroy it.
class signal_stack {
 public:
  signal_stack() : room_(std::make_unique<std::byte[]>(bytes)) {
    stack_t alternate{};
    alternate.ss_sp = room_.get();
    alternate.ss_size = bytes;
    GROVE_CHECK(::sigaltstack(&alternate, nullptr) == 0, "sigaltstack");
  }
  signal_stack(const signal_stack&) = delete;
  signal_stack& operator=(const signal_stack&) = delete;
  ~signal_stack() {
    stack_t present{};
    if (::sigaltstack(nullptr, &present) != 0 || present.ss_sp != room_.get()) return;
    present.ss_flags = SS_DISABLE;
    ::sigaltstack(&present, nullptr);
  }

 private:
  static constexpr std::size_t bytes = 64UL * 1024;
  std::unique_ptr<std::byte[]> room_;
};

}  // namespace grove::greenlets::detail
