// SPDX-License-Identifier: Apache-2.0
#include "base/descriptor_reserve.h"

#include <fcntl.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace grove {
namespace {

unique_fd any_descriptor() noexcept {
  return unique_fd{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
}

}  // namespace

bool descriptor_reserve::retake() noexcept {
  if (!kept_) kept_ = any_descriptor();
  return static_cast<bool>(kept_);
}

bool descriptor_reserve::has_spare() noexcept {
  return retake() && static_cast<bool>(any_descriptor());
}

bool is_shortage(int error) noexcept {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

std::string shortage_text(int error) {
  std::string text = std::generic_category().message(error);
  const char* const name = ::strerrorname_np(error);
  text.append(" (").append(name != nullptr ? name : "unknown");
  if (error == EMFILE) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    text.append("; this process may have ").append(std::to_string(limit.rlim_cur)).append(": ulimit -n, LimitNOFILE=");
  } else if (error == ENFILE) {
    text.append("; all processes together: sysctl fs.file-max");
  }
  return text.append(")");
}

}  // namespace grove
