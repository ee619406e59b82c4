// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <system_error>

namespace grove {

/// Who has begun an operation of a byte_stream, and is told how it ended. None of these is called by the function that
/// begins the operation, only later from the loop.
class byte_stream_user {
 public:
  /// So many bytes are at the place now; none, and no error: the other end sends nothing more.
  virtual void on_read(std::error_code error, std::size_t bytes) = 0;
  /// All is written, or there is an error.
  virtual void on_written(std::error_code error, std::size_t bytes) = 0;
  /// The other end has gone altogether: nobody reads any more.
  virtual void on_hang_up() = 0;

 protected:
  byte_stream_user() = default;
  byte_stream_user(const byte_stream_user&) = default;
  byte_stream_user& operator=(const byte_stream_user&) = default;
  ~byte_stream_user() = default;
};

/// A connected stream of bytes in both directions: a socket, or what stands for one where a whole server runs in one
/// process. At most one read, one write and one wait are under way.
/// Affinity: the hub thread. None of its functions waits.
class byte_stream {
 public:
  byte_stream() = default;
  byte_stream(const byte_stream&) = delete;
  byte_stream& operator=(const byte_stream&) = delete;
  virtual ~byte_stream() = default;

  /// Reads at least one byte and at most `bytes`.
  /// Lifetime: the place stays until `on_read`, and so does the user, which the operation holds; so in the next two.
  virtual void async_read_some(char* place, std::size_t bytes, std::shared_ptr<byte_stream_user> user) = 0;

  /// Writes all of it.
  virtual void async_write(std::string_view bytes, std::shared_ptr<byte_stream_user> user) = 0;

  /// Waits until the other end has gone.
  virtual void async_wait_hang_up(std::shared_ptr<byte_stream_user> user) = 0;

  /// Writes what can be written at once, and returns how much that was: with room for nothing 0, which is no error.
  [[nodiscard]] virtual std::size_t write_some(std::string_view bytes, std::error_code& error) = 0;

  /// Sends nothing more, once what was written has left; reading goes on.
  virtual void shutdown_send() = 0;

  /// Ends it, in both directions. Operations under way end with an error.
  virtual void close() = 0;

  /// The descriptor of a socket, for passing it to another process; -1 for what is none.
  [[nodiscard]] virtual int descriptor() noexcept = 0;
};

}  // namespace grove
