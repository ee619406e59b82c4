// SPDX-License-Identifier: Apache-2.0
#include "worker/mesh/handoff.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

namespace grove {

namespace {

constexpr std::uint32_t handoff_magic = 0x68616e64U;
constexpr int handoffs_per_call = 64;

struct handoff_header {
  std::uint32_t magic;
  std::uint32_t size;
};

/// Room for one descriptor, and with its padding for a second one.
struct control_room {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> bytes{};
};

/// The descriptor in what was received; none unless there is exactly one.
unique_fd descriptor_of(msghdr& received) noexcept {
  unique_fd found;
  int count = 0;
  for (cmsghdr* part = CMSG_FIRSTHDR(&received); part != nullptr; part = CMSG_NXTHDR(&received, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    for (std::size_t at = 0; CMSG_LEN(at + sizeof(int)) <= part->cmsg_len; at += sizeof(int)) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + at, sizeof fd);
      found.reset(fd);
      ++count;
    }
  }
  return count == 1 ? std::move(found) : unique_fd{};
}

}  // namespace

status send_handoff(int handoff_fd, int socket, std::string_view bytes) {
  if (bytes.size() > handoff_bytes_max) {
    return {status_code::resource_exhausted, "a connection with " + std::to_string(bytes.size()) +
                                                 " bytes read is not handed over: at most " +
                                                 std::to_string(handoff_bytes_max)};
  }
  handoff_header header{handoff_magic, static_cast<std::uint32_t>(bytes.size())};
  std::array<iovec, 2> parts{{{&header, sizeof header}, {const_cast<char*>(bytes.data()), bytes.size()}}};
  control_room control;
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  message.msg_control = control.bytes.data();
  message.msg_controllen = control.bytes.size();
  cmsghdr* const rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(rights), &socket, sizeof socket);
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(handoff_fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent >= 0) return {};
  const int error = errno;
  const bool full = error == EAGAIN || error == ENOBUFS || error == ETOOMANYREFS;
  return {full ? status_code::resource_exhausted : status_code::unavailable,
          "handing a connection over: sendmsg: " + std::generic_category().message(error)};
}

handoff_receiver::handoff_receiver(int handoff_fd, descriptor_reserve& reserve, callback taken, callback too_many)
    : fd_{handoff_fd},
      reserve_{reserve},
      taken_{std::move(taken)},
      too_many_{std::move(too_many)},
      buffer_{std::make_unique_for_overwrite<char[]>(sizeof(handoff_header) + handoff_bytes_max)} {}

/// The kernel drops a descriptor for which there is no number, without a word to its sender.
ssize_t handoff_receiver::receive_one(msghdr& message) noexcept {
  reserve_.release();
  ssize_t got = 0;
  do {
    got = ::recvmsg(fd_, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  return got;
}

bool handoff_receiver::receive() {
  for (int i = 0; i < handoffs_per_call; ++i) {
    iovec part{buffer_.get(), sizeof(handoff_header) + handoff_bytes_max};
    control_room control;
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes.data();
    message.msg_controllen = control.bytes.size();
    const ssize_t got = receive_one(message);
    unique_fd socket = got < 0 ? unique_fd{} : descriptor_of(message);
    const bool is_the_last = !reserve_.retake();
    if (got < 0) return false;
    handoff_header header{};
    if (static_cast<std::size_t>(got) >= sizeof header) std::memcpy(&header, buffer_.get(), sizeof header);
    const bool whole = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0 && header.magic == handoff_magic &&
                       static_cast<std::size_t>(got) == sizeof header + header.size;
    if (!socket || !whole) {
      ++dropped_;
      continue;
    }
    const int flags = ::fcntl(socket.get(), F_GETFL);
    ::fcntl(socket.get(), F_SETFL, flags | O_NONBLOCK);
    (is_the_last ? too_many_ : taken_)(std::move(socket), {buffer_.get() + sizeof header, header.size});
  }
  return true;
}

}  // namespace grove
