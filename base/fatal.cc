// SPDX-License-Identifier: Apache-2.0
#include "base/fatal.h"

#include <array>
#include <cstdio>
#include <cstdlib>

#include "base/last_words.h"

namespace grove {

void fatal(std::string_view text) noexcept {
  std::array<char, 2560> line{};
  std::snprintf(line.data(), line.size(), "grove: %.*s\n", static_cast<int>(text.size()), text.data());
  last_words words;
  words.say(line.data());
  words.say_stack();
  std::abort();
}

std::exception_ptr caught_error() noexcept {
  std::exception_ptr caught = std::current_exception();
  if (caught == nullptr) {
    fatal(
        "a thread was ended by pthread_cancel() or pthread_exit() while it ran greenlets, a hub or a call of Grove's: "
        "stop the hub, kill the greenlet, return from the call");
  }
  return caught;
}

}  // namespace grove
