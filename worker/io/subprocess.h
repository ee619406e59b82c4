// SPDX-License-Identifier: Apache-2.0
#pragma once

// Child processes for greenlets, after Python's subprocess as gevent has it: only the calling greenlet waits.
//
// - Started by posix_spawn(3): none of our code runs between fork and exec. A child gets its three standard streams and
//   no other descriptor, an empty signal mask, and SIGPIPE as it is by default.
// - Its end is seen through a pidfd, so that SIGCHLD is left to others. Nobody else may collect the process's children
//   (waitpid(-1), SIGCHLD ignored): the status is lost then, which is reported as ECHILD.
// - No zombies: who drops a running child kills it, and it is collected by the hub.

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace grove {

/// How a process ended.
struct exit_status {
  int code = -1;   ///< its exit code, or -1
  int signal = 0;  ///< the signal that it died of, or 0
  [[nodiscard]] bool success() const noexcept { return code == 0; }
  friend bool operator==(const exit_status&, const exit_status&) = default;
};

/// What a standard stream of a child is.
struct stdio {
  enum class kind : std::uint8_t { inherited, null_device, pipe, descriptor, as_output };
  kind what = kind::inherited;
  int fd = -1;

  static constexpr stdio inherit() noexcept { return {}; }
  static constexpr stdio null() noexcept { return {kind::null_device, -1}; }
  static constexpr stdio pipe() noexcept { return {kind::pipe, -1}; }
  /// Lifetime: `fd` is borrowed until the start.
  static constexpr stdio to(int fd) noexcept { return {kind::descriptor, fd}; }
  /// For standard error alone: where standard output goes.
  static constexpr stdio to_output() noexcept { return {kind::as_output, -1}; }
};

struct subprocess_options {
  stdio in = {};
  stdio out = {};
  stdio err = {};
  std::string directory = {};  ///< its working directory; empty: ours. A relative program is looked for from there.
  std::optional<std::vector<std::string>> environment = {};  ///< "NAME=value"; nothing: ours
  bool own_group = false;                                    ///< a process group of its own, whose leader it is
  std::size_t output_bytes_max = std::size_t{16} << 20U;     ///< of both outputs together, in communicate() and run()
};

/// Our environment with `added` put in or replaced.
[[nodiscard]] std::vector<std::string> environment_with(const std::vector<std::pair<std::string, std::string>>& added);

/// communicate() or run() found more output than `output_bytes_max`.
class output_too_long : public std::length_error {
 public:
  using std::length_error::length_error;
};

/// A child process.
/// Affinity: hub thread; what does not wait, any thread.
class subprocess {
 public:
  struct output {
    std::string out;
    std::string err;
  };
  struct finished {
    exit_status status;
    std::string out;
    std::string err;
  };

  /// Starts `argv[0]` (looked for in our PATH if it has no slash) with the arguments `argv`.
  /// Errors: std::system_error that names the program, or the directory; std::invalid_argument without a program;
  /// stack_low.
  [[nodiscard]] static subprocess start(const std::vector<std::string>& argv, const subprocess_options& options = {});
  /// start(), communicate() and the status. The child is killed when this throws.
  /// Errors: as those; timed_out at `until`, failed never.
  static finished run(const std::vector<std::string>& argv, subprocess_options options = {},
                      std::string_view input = {}, std::optional<steady_time> until = std::nullopt);
  /// run() that returns what was written to standard output.
  /// Errors: failed unless the child ends with 0.
  static std::string check_output(const std::vector<std::string>& argv, subprocess_options options = {},
                                  std::string_view input = {}, std::optional<steady_time> until = std::nullopt);

  subprocess(subprocess&&) noexcept = default;
  subprocess& operator=(subprocess&& other) noexcept;
  /// Closes the pipes; kills a child that runs. It is collected by the hub, or here if the thread has none.
  ~subprocess();

  [[nodiscard]] pid_t pid() const noexcept;
  /// Our ends of the pipes, non-blocking: for read_fd() and write_fd(), or to be wrapped; -1 if there is none.
  [[nodiscard]] int in_fd() const noexcept;
  [[nodiscard]] int out_fd() const noexcept;
  [[nodiscard]] int err_fd() const noexcept;
  /// The child's input ends.
  void close_in() noexcept;

  /// Its status if it has ended.
  /// Errors: std::system_error with ECHILD if it was lost to somebody else.
  std::optional<exit_status> poll();
  /// Waits for the end, at most until `until`; any number of greenlets may. Pipes are not read: a child that fills one
  /// never ends.
  /// Cancel: the child runs on.
  std::optional<exit_status> wait(std::optional<steady_time> until = std::nullopt);
  /// Writes `input`, closes it, reads both outputs to their ends and waits for the end. At `until` nothing: a later call
  /// goes on where this one stopped (and its own `input` is appended, if the pipe is still open).
  /// Errors: output_too_long, std::system_error; the child runs on.
  /// Cancel: the same as at `until`.
  std::optional<output> communicate(std::string_view input = {}, std::optional<steady_time> until = std::nullopt);

  /// False if the child has ended and was collected.
  bool send_signal(int signal) noexcept;
  bool terminate() noexcept;
  bool kill() noexcept;

  /// run() came to its time. The child has been killed.
  class timed_out : public std::runtime_error {
   public:
    using std::runtime_error::runtime_error;
  };
  /// check_output() of a child that failed.
  class failed : public std::runtime_error {
   public:
    failed(const std::string& text, finished with) : std::runtime_error(text), result(std::move(with)) {}
    finished result;
  };

 private:
  struct state;
  explicit subprocess(std::shared_ptr<state> started) noexcept : state_(std::move(started)) {}
  void drop() noexcept;

  std::shared_ptr<state> state_;  // shared with waits that are under way
};

}  // namespace grove
