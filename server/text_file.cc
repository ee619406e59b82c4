// SPDX-License-Identifier: Apache-2.0
#include "server/text_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "base/fd.h"

namespace grove::server {

std::optional<std::string> read_text_file(const std::string& path) {
  const unique_fd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!fd) return std::nullopt;
  std::string text;
  std::array<char, 4096> chunk;
  while (true) {
    const ssize_t size = ::read(fd.get(), chunk.data(), chunk.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return std::nullopt;
    if (size == 0) return text;
    text.append(chunk.data(), static_cast<std::size_t>(size));
  }
}

std::optional<std::string> folder_trouble(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) == 0 && !S_ISDIR(found.st_mode))
    errno = ENOTDIR;
  else if (::access(path.c_str(), W_OK | X_OK) == 0)
    return std::nullopt;
  return std::generic_category().message(errno);
}

}  // namespace grove::server
