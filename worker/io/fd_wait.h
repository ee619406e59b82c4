// SPDX-License-Identifier: Apache-2.0
#pragma once

// Waits for file descriptors, as gevent's select and poll: only the calling greenlet waits.
//
// - The kernel's poll(2) has the first and the last word, so that results are poll's own: a closed descriptor is
//   POLLNVAL, a regular file is always ready.
// - In between the descriptors are in an epoll set of the hub's, for one event, and leave it when the wait ends in
//   whatever way. The set is apart from Asio's, so a descriptor may belong to an Asio object as well.
// - Nobody may close a descriptor that is waited for without cancel_waits(): the wait would go on until its time, and
//   the number may come back as another file.

#include <poll.h>

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "base/clock.h"
#include "worker/greenlet/errors.h"

namespace grove {

/// Two greenlets would wait for one descriptor in the same direction: which of them would get the data is not defined.
/// gevent's ConcurrentObjectUseError.
class concurrent_use : public greenlet_error {
 public:
  using greenlet_error::greenlet_error;
};

/// poll(2) for greenlets: waits until one of `fds` is ready, at most until `until`, and fills `revents`. Returns how
/// many are ready; a time that has passed only looks. Negative descriptors are passed over.
/// Switches: to the hub, unless something is ready at once.
/// Affinity: hub thread; only to look, in the hub's context too.
/// Errors: concurrent_use, before anything waits; std::system_error of poll(2) and epoll(7).
/// Cancel: nothing stays registered; `revents` are not filled.
std::size_t poll_fds(std::span<pollfd> fds, std::optional<steady_time> until = std::nullopt);

/// True once a read from `fd` does not block (data, end of file, an error); false at `until`. Otherwise as poll_fds().
/// Errors: std::system_error with EBADF for a bad descriptor, or one given to cancel_waits().
bool wait_readable(int fd, std::optional<steady_time> until = std::nullopt);
/// The same for a write.
bool wait_writable(int fd, std::optional<steady_time> until = std::nullopt);

/// To be called before `fd` is closed: ends the waits for it in this thread's hub, as poll_fds() with POLLNVAL, the
/// other ones with EBADF. Returns how many greenlets are woken.
std::size_t cancel_waits(int fd) noexcept;

/// read(2) that waits: what it returned, 0 at the end of the file, nothing at `until`. gevent's nb_read.
/// Errors: std::system_error. `fd` must be non-blocking, or the hub blocks.
std::optional<std::size_t> read_fd(int fd, std::span<char> into, std::optional<steady_time> until = std::nullopt);
/// write(2) that waits: how much was written, perhaps not all, nothing at `until`. gevent's nb_write. A reader that has
/// gone is EPIPE, and no signal, whatever the disposition of SIGPIPE is.
/// Errors: std::system_error. `fd` must be non-blocking, or the hub blocks.
std::optional<std::size_t> write_fd(int fd, std::string_view bytes, std::optional<steady_time> until = std::nullopt);

}  // namespace grove
