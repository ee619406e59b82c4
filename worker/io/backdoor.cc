// SPDX-License-Identifier: Apache-2.0
#include "worker/io/backdoor.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <asio/buffer.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <exception>
#include <map>
#include <system_error>
#include <utility>

#include "base/fd.h"
#include "worker/greenlet/greenlet.h"
#include "worker/greenlet/stack_trace.h"
#include "worker/hub/hub.h"
#include "worker/io/use_greenlet.h"
#include "worker/tasks/run_info.h"
#include "worker/tasks/task.h"
#include "worker/tasks/timeout.h"

namespace grove {

namespace {

using local = asio::local::stream_protocol;
constexpr int backlog = 16;
constexpr steady_duration write_within{std::chrono::seconds{10}};
constexpr std::chrono::milliseconds accept_pause{100};

[[noreturn]] void fail(int error, const std::string& path) {
  throw std::system_error(error, std::system_category(), "the back door at " + path);
}

/// A socket at which nobody listens any more is what a killed process leaves behind.
void remove_stale(const std::string& path, const sockaddr_un& address) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) {
    if (errno == ENOENT) return;
    fail(errno, path);
  }
  if (!S_ISSOCK(found.st_mode)) fail(EEXIST, path);
  const unique_fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (probe.get() < 0) fail(errno, path);
  if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 || errno == EAGAIN)
    fail(EADDRINUSE, path);
  if (errno != ECONNREFUSED) fail(errno, path);
  if (::unlink(path.c_str()) != 0) fail(errno, path);
}

unique_fd listen_at(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) fail(ENAMETOOLONG, path);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  remove_stale(path, address);
  unique_fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // The mode is set before the name exists: there is no moment in which others could connect.
  if (socket.get() < 0 || ::fchmod(socket.get(), S_IRUSR | S_IWUSR) != 0 ||
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(socket.get(), backlog) != 0)
    fail(errno, path);
  return socket;
}

std::pair<std::string_view, std::string_view> split(std::string_view line) {
  const auto trim = [](std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return std::string_view();
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
  };
  line = trim(line);
  const std::size_t space = line.find_first_of(" \t");
  if (space == std::string_view::npos) return {line, {}};
  return {line.substr(0, space), trim(line.substr(space))};
}

}  // namespace

/// Outlives the back door as long as greenlets of clients are on their way out.
class backdoor::server : public std::enable_shared_from_this<server> {
 public:
  server(hub& on, backdoor_options options) : hub_(on), options_(std::move(options)), acceptor_(on.io()) {
    unique_fd listening = listen_at(options_.path);
    acceptor_.assign(local(), listening.get());
    (void)listening.release();
    add_own_commands();
  }

  void begin() {
    accepting_ = spawn_on(hub_, [self = shared_from_this()] { self->accept(); });
    accepting_->set_name("back door");
  }

  void end() noexcept {
    ::unlink(options_.path.c_str());
    asio::error_code ignored;
    acceptor_.close(ignored);
    accepting_->kill(kill_mode::do_not_wait);
    // Whose command ends the back door gets its answer and goes by itself.
    for (const auto& [number, client] : std::exchange(clients_, {})) {
      if (!client->is_current()) client->kill(kill_mode::do_not_wait);
    }
  }

  void add_command(std::string name, std::string help, command call) {
    commands_.insert_or_assign(std::move(name), known{std::move(help), std::move(call)});
  }
  [[nodiscard]] std::size_t clients() const noexcept { return clients_.size(); }

 private:
  struct known {
    std::string help;
    command call;
  };

  void add_own_commands() {
    add_command("help", "this list", [this](std::string_view) { return help(); });
    add_command("greenlets", "all greenlets: address, name, state, what runs in them",
                [this](std::string_view) { return run_info(hub_, {.stacks = false, .label = options_.label}); });
    add_command("stack", "ADDRESS: the stack of one greenlet that is suspended",
                [this](std::string_view which) { return stack(which); });
    add_command("stacks", "all greenlets with their stacks",
                [this](std::string_view) { return run_info(hub_, {.label = options_.label}); });
    add_command("hub", "the hub's counters", [this](std::string_view) { return hub_counters(hub_); });
    add_command("quit", "closes the connection", nullptr);
  }

  std::string help() const {
    std::string text;
    for (const auto& [name, entry] : commands_)
      text += name + "  " + entry.help + "\n";
    return text;
  }

  std::string stack(std::string_view which) {
    std::uintptr_t address = 0;
    const std::string_view digits = which.starts_with("0x") ? which.substr(2) : which;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), address, 16);
    if (error != std::errc() || end != digits.data() + digits.size())
      return "'" + std::string(which) + "' is no address of a greenlet; `greenlets` lists them\n";
    std::string text;
    const auto look = [&](greenlet& at) {
      text = greenlet_line(hub_, at, options_.label) + "\n";
      text += at.is_current() ? "it runs: this is its answer\n" : stack_text(stack_trace(at));
    };
    for (const greenlet_ptr& at : all_greenlets()) {
      if (reinterpret_cast<std::uintptr_t>(at.get()) == address) look(*at);
    }
    return text.empty() ? "there is no greenlet " + std::string(which) + " any more\n" : text;
  }

  void accept() {
    while (acceptor_.is_open()) {
      asio::error_code error;
      local::socket client = acceptor_.async_accept(use_greenlet[error]);
      if (error) {
        sleep_for(accept_pause);
        continue;
      }
      const std::uint64_t number = ++clients_ever_;
      auto task =
          spawn_on(hub_, [self = shared_from_this(), socket = std::move(client)]() mutable { self->serve(socket); });
      task->set_name("back door client");
      task->watch([self = shared_from_this(), number] { self->clients_.erase(number); });
      clients_.emplace(number, std::move(task));
    }
  }

  void serve(local::socket& client) {
    try {
      if (!admit(client)) return;
      say(client, options_.banner + "\n" + help());
      std::string buffer;
      while (acceptor_.is_open()) {
        say(client, std::string(prompt));
        asio::error_code error;
        const std::size_t bytes = asio::async_read_until(client, asio::dynamic_buffer(buffer, options_.line_bytes_max),
                                                         '\n', use_greenlet[error]);
        if (error == asio::error::not_found)
          say(client, "a line may have " + std::to_string(options_.line_bytes_max) + " bytes\n");
        if (error) return;
        const auto [name, arguments] = split(std::string_view(buffer).substr(0, bytes));
        if (name == "quit") return;
        if (!name.empty()) say(client, answer(name, arguments));
        buffer.erase(0, bytes);
      }
    } catch (const std::system_error&) {
      // The client has gone.
    } catch (const timeout_expired&) {
      // It does not read.
    }
  }

  bool admit(local::socket& client) {
    ucred peer{};
    socklen_t bytes = sizeof peer;
    const bool is_known = ::getsockopt(client.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &bytes) == 0;
    if (!is_known || !may_enter_backdoor(peer.uid, ::geteuid())) {
      say(client, "this is for root and the user of the server\n");
      return false;
    }
    if (clients_.size() <= options_.clients_max) return true;
    say(client, std::to_string(options_.clients_max) + " clients are here already\n");
    return false;
  }

  std::string answer(std::string_view name, std::string_view arguments) {
    const auto found = commands_.find(name);
    if (found == commands_.end()) return "there is no command '" + std::string(name) + "'; `help` lists them\n";
    try {
      return found->second.call(arguments);
    } catch (const std::exception& error) {
      return std::string(name) + " failed: " + error.what() + "\n";
    }
  }

  void say(local::socket& client, const std::string& text) {
    const timeout limit(hub_, write_within);
    asio::async_write(client, asio::buffer(text), use_greenlet);
  }

  hub& hub_;
  backdoor_options options_;
  local::acceptor acceptor_;
  std::map<std::string, known, std::less<>> commands_;
  spawned<void> accepting_;
  std::map<std::uint64_t, task_ptr> clients_;
  std::uint64_t clients_ever_ = 0;
};

backdoor::backdoor(hub& on, backdoor_options options) : server_(std::make_shared<server>(on, std::move(options))) {
  server_->begin();
}

backdoor::~backdoor() {
  server_->end();
}

void backdoor::add_command(std::string name, std::string help, command call) {
  server_->add_command(std::move(name), std::move(help), std::move(call));
}

std::size_t backdoor::clients() const noexcept {
  return server_->clients();
}

}  // namespace grove
