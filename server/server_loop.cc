// SPDX-License-Identifier: Apache-2.0
#include "server/server_loop.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <unistd.h>

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/exit_codes.h"
#include "base/process/inherited_fds.h"
#include "base/process/shared_segment.h"
#include "base/random.h"
#include "base/values.h"
#include "base/version.h"
#include "proto/wire/protobuf_log.h"
#include "server/admin.h"
#include "server/bind_patience.h"
#include "server/cpu_budget.h"
#include "server/exit_status.h"
#include "server/listeners.h"
#include "server/metrics_page.h"
#include "server/process.h"
#include "server/service_manager.h"
#include "server/supervisor.h"
#include "server/worker_processes.h"

namespace grove::server {
namespace {

shared_segment make_segment(const server_config& config, std::uint32_t workers, const clock& time) {
  shared_segment_options options;
  options.workers = workers;
  options.frame_bytes_max = config.limits.frame_bytes_max;
  options.started_at_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(time.now().time_since_epoch()).count();
  options.server_version = version;
  return shared_segment::create(options);
}

std::uint64_t seed() {
  std::random_device entropy;
  return std::uint64_t{entropy()} << 32U | entropy();
}

/// The parts of a running server, wired together. Each event goes to the supervisor, and afterwards its next deadline
/// is set or the loop is left.
class server_loop {
 public:
  server_loop(const server_config& config, service_manager manager, cpu_budget cpus, std::string program,
              listener clients, std::optional<listener> admin, const process_log& log)
      : manager_{std::move(manager)},
        stop_takes_{config.drain_timeout + supervisor::quit_grace + supervisor::kill_grace},
        cpus_{std::move(cpus)},
        clients_{std::move(clients)},
        segment_{make_segment(config, config.workers.value_or(cpus_.workers()), time_)},
        processes_{io_, std::move(program), segment_.workers(), segment_.fd(), clients_.fd.get(), worker_events()},
        supervisor_{{config, cpus_, segment_, processes_, time_, random_, log.logger, clients_.address.to_string(),
                     admin ? admin->address.to_string() : std::string{"off"}}} {
    for (const int more : {SIGQUIT, SIGUSR1, SIGUSR2})  // The constructor takes three.
      signals_.add(more);
    if (admin) {
      admin_.emplace(io_, std::move(admin->fd),
                     admin_pages{[this] { return supervisor_.ready(); },
                                 [this, lines = log.lines] {
                                   return metrics_page(segment_, supervisor_, time_.now(), lines->dropped());
                                 }},
                     log.logger);
    }
  }

  int run() {
    wait_for_signal();
    supervisor_.begin();
    settle();
    io_.run();
    return supervisor_.exit_code().value_or(exit_codes::internal_failure);
  }

 private:
  server::worker_events worker_events() {
    return {[this](std::uint32_t slot, const v1::ControlMessage& message) {
              supervisor_.on_message(slot, message);
              settle();
            },
            [this](std::uint32_t slot, std::string_view why) {
              supervisor_.on_control_lost(slot, why);
              settle();
            },
            [this](std::uint32_t slot, const exit_status& status) {
              supervisor_.on_exit(slot, status);
              settle();
            }};
  }

  void wait_for_signal() {
    signals_.async_wait([this](const std::error_code& error, int signal) {
      if (error) return;
      supervisor_.on_signal(signal);
      settle();
      wait_for_signal();
    });
  }

  void settle() {
    tell_manager();
    if (supervisor_.exit_code()) return io_.stop();
    const steady_time wake = supervisor_.next_wake();
    if (armed_for_ == wake) return;
    armed_for_ = wake;
    timer_.expires_at(wake);
    timer_.async_wait([this](const std::error_code& error) {
      if (error) return;
      armed_for_.reset();
      supervisor_.tick();
      settle();
    });
  }

  void tell_manager() {
    manager_.status(supervisor_.ready().reason);
    if (supervisor_.has_started()) manager_.ready();
    if (supervisor_.is_stopping()) manager_.stopping(stop_takes_);
    manager_.alive(time_.now());
  }

  system_clock time_;
  service_manager manager_;
  std::chrono::milliseconds stop_takes_;  ///< At the most.
  random_source random_{seed()};
  cpu_budget cpus_;
  listener clients_;
  shared_segment segment_;
  asio::io_context io_{1};
  asio::signal_set signals_{io_, SIGTERM, SIGINT, SIGHUP};
  asio::steady_timer timer_{io_};
  std::optional<steady_time> armed_for_;
  worker_processes processes_;
  supervisor supervisor_;
  std::optional<admin_server> admin_;
};

void tell_the_beginning(const server_config& config, const cpu_budget& cpus, spdlog::logger& log) {
  const std::uint32_t workers = config.workers.value_or(cpus.workers());
  log.info("grove-server {} starts as pid {} with {}; it may use {}", version, ::getpid(), counted(workers, "worker"),
           cpus.to_string());
  if (!config.workers) {
    if (const std::string advice = cpus.advice(); !advice.empty()) log.warn("{}", advice);
  }
  if (workers > cpus.workers()) {
    log.warn("{} are more than there are cores for: they share them", counted(workers, "worker"));
  }
  log.info("state is kept in memory in this version: it is lost when its worker ends");
}

listener listen_patiently(const host_port& where, const std::string& option, spdlog::logger& log) {
  bind_patience patience{where, log};
  return listen_on(where, option, std::ref(patience));
}

}  // namespace

int run_server(const server_config& config, const process_log& process) {
  spdlog::logger& log = *process.logger;
  reset_signals();
  service_manager manager = service_manager::from_environment();
  const protobuf_log protobuf{[&log](bool is_error, std::string_view text) {
    log.log(is_error ? spdlog::level::err : spdlog::level::warn, "protobuf: {}", text);
  }};
  try {
    cpu_budget cpus = read_cpu_budget();
    tell_the_beginning(config, cpus, log);
    const std::uint32_t workers = config.workers.value_or(cpus.workers());
    const std::uint64_t descriptors = raise_descriptor_limit();
    // What workers inherit is above 256 (process.h); with them come our own sockets.
    const auto needed = 2 * static_cast<std::uint64_t>(inherited_fds::wake(workers)) + 256 + 128;
    if (descriptors < needed) {
      log.critical("at most {} descriptors may be open, {} are needed: raise the limit (ulimit -n)", descriptors,
                   needed);
      return exit_codes::bad_configuration;
    }
    std::string program;
    try {
      program = find_worker_program();
    } catch (const std::runtime_error& missing) {
      log.critical("{}", missing.what());
      return exit_codes::bad_configuration;
    }
    listener clients = listen_patiently(config.listen, "--listen", log);
    std::optional<listener> admin;
    if (config.admin) admin = listen_patiently(*config.admin, "--admin", log);
    server_loop loop{
        config, std::move(manager), std::move(cpus), std::move(program), std::move(clients), std::move(admin), process};
    return loop.run();
  } catch (const file_size_limit_error& failure) {
    log.critical("{}", failure.what());
    return exit_codes::bad_configuration;
  } catch (const stopped_before_serving& stopped) {
    log.info("stopped by signal {} ({}) before it served", stopped.signal, signal_name(stopped.signal));
    return exit_codes::done;
  } catch (const listen_error& failure) {
    log.critical("{}", failure.what());
    return exit_codes::cannot_listen;
  } catch (const std::exception& failure) {
    log.critical("internal failure: {}", failure.what());
    return exit_codes::internal_failure;
  }
}

}  // namespace grove::server
