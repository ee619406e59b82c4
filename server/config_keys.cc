// SPDX-License-Identifier: Apache-2.0
#include "server/internal/config_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <limits>

#include "base/shared_segment_layout.h"

namespace grove::server::detail {
namespace {

constexpr std::array<std::string_view, 7> log_levels = {"trace", "debug",    "info", "warning",
                                                        "error", "critical", "off"};

complaint set_listen(std::string_view text, server_config& config) {
  const auto address = parse_host_port(text);
  if (!address) return "must be HOST:PORT, for example 127.0.0.1:7400";
  config.listen = *address;
  return std::nullopt;
}

complaint set_admin(std::string_view text, server_config& config) {
  if (text == "off") {
    config.admin.reset();
    return std::nullopt;
  }
  const auto address = parse_host_port(text);
  if (!address) return "must be HOST:PORT, for example 127.0.0.1:7401, or off";
  config.admin = address;
  return std::nullopt;
}

complaint set_workers(std::string_view text, server_config& config) {
  if (text == "auto") {
    config.workers.reset();
    return std::nullopt;
  }
  const auto number = parse_count(text);
  if (!number || *number < 1 || *number > workers_max) {
    return fmt::format("must be a number of workers from 1 to {}, or auto", workers_max);
  }
  config.workers = static_cast<std::uint32_t>(*number);
  return std::nullopt;
}

complaint set_pin(std::string_view text, server_config& config) {
  if (text != "auto" && text != "off") return "must be auto or off";
  config.pin = text == "auto" ? pinning::automatic : pinning::off;
  return std::nullopt;
}

complaint set_backdoor(std::string_view text, server_config& config) {
  if (text.empty()) return "must be a folder, or off";
  config.backdoor = text == "off" ? std::string_view{} : text;
  return std::nullopt;
}

complaint set_log_level(std::string_view text, server_config& config) {
  if (std::ranges::find(log_levels, text) == log_levels.end()) {
    return fmt::format("must be one of {}", fmt::join(log_levels, ", "));
  }
  config.log_level = text;
  return std::nullopt;
}

/// The part of the configuration that a path of members leads to.
template <auto Member>
auto& at(server_config& config) {
  if constexpr (requires { config.*Member; }) {
    return config.*Member;
  } else if constexpr (requires { config.restarts.*Member; }) {
    return config.restarts.*Member;
  } else {
    return config.limits.*Member;
  }
}

template <auto Member>
complaint set_duration(std::string_view text, server_config& config) {
  const auto value = parse_duration(text);
  if (!value || value->count() == 0) return "must be a duration with its unit, for example 500ms, 25s or 1m";
  at<Member>(config) = *value;
  return std::nullopt;
}

template <auto Member>
complaint set_duration_or_off(std::string_view text, server_config& config) {
  if (text == "off") {
    at<Member>(config) = std::chrono::milliseconds{0};
    return std::nullopt;
  }
  if (set_duration<Member>(text, config)) return "must be a duration with its unit, for example 500ms or 2s, or off";
  return std::nullopt;
}

template <auto Member>
complaint set_count(std::string_view text, server_config& config) {
  const auto value = parse_count(text);
  if (!value || *value < 1 || *value > std::numeric_limits<std::uint32_t>::max()) {
    return "must be a whole number, at least 1, for example 1000, 64KiB or 1MiB";
  }
  at<Member>(config) = static_cast<std::uint32_t>(*value);
  return std::nullopt;
}

template <auto Member>
std::string text_of(const server_config& config) {
  server_config copy = config;
  auto& value = at<Member>(copy);
  if constexpr (requires { value.count(); }) {
    return value.count() == 0 ? "off" : duration_value(value);
  } else {
    return std::to_string(value);
  }
}

template <auto Member>
constexpr config_key duration(std::string_view name, std::string_view help) {
  return {name, "DURATION", help, text_of<Member>, set_duration<Member>};
}

template <auto Member>
constexpr config_key count(std::string_view name, std::string_view help) {
  return {name, "N", help, text_of<Member>, set_count<Member>};
}

/// The two settings that later versions have: refused rather than accepted without an effect.
complaint refuse_data(std::string_view /*text*/, server_config& /*config*/) {
  return "cannot be set: this version keeps the state of actors in memory only, and loses it when the server "
         "stops; "
         "leave it out";
}

complaint refuse_actors(std::string_view /*text*/, server_config& /*config*/) {
  return "cannot be set: this version serves its built-in actor types and loads no modules; leave it out";
}

std::string nothing(const server_config& /*config*/) {
  return {};
}

using grove::limits;

constexpr std::array keys = {
    config_key{"listen", "HOST:PORT", "Where clients connect; port 0 lets the kernel choose",
               [](const server_config& c) { return c.listen.to_string(); }, set_listen},
    config_key{"admin", "HOST:PORT|off", "Where /livez, /readyz and /metrics are served",
               [](const server_config& c) { return c.admin ? c.admin->to_string() : std::string{"off"}; }, set_admin},
    config_key{"workers", "N|auto", "Worker processes; auto: one a core that this process may use",
               [](const server_config& c) { return c.workers ? std::to_string(*c.workers) : std::string{"auto"}; },
               set_workers},
    config_key{"pin", "auto|off", "Bind each worker to a core",
               [](const server_config& c) { return std::string{c.pin == pinning::off ? "off" : "auto"}; }, set_pin},
    config_key{"data", "DIR", "Where state is kept (not in this version: state lives in memory)", nothing, refuse_data},
    config_key{"actors", "FILE|DIR", "Modules with actor types (not in this version)", nothing, refuse_actors},
    config_key{"log-level", "LEVEL", "trace, debug, info, warning, error, critical or off",
               [](const server_config& c) { return c.log_level; }, set_log_level},
    duration<&server_config::drain_timeout>("drain-timeout", "After SIGTERM, how long begun work may take to finish"),
    duration<&server_config::start_timeout>("start-timeout", "How long a worker may take to get ready"),
    config_key{"hang-timeout", "DURATION|off", "A worker whose loop stands still for this long is dumped and replaced",
               text_of<&server_config::hang_timeout>, set_duration_or_off<&server_config::hang_timeout>},
    config_key{"stall-after", "DURATION|off", "A turn that holds its worker for this long is logged with its stack",
               text_of<&server_config::stall_after>, set_duration_or_off<&server_config::stall_after>},
    config_key{"backdoor", "DIR|off", "Where workers open sockets that show what their greenlets do",
               [](const server_config& c) { return c.backdoor.empty() ? std::string{"off"} : c.backdoor; },
               set_backdoor},
    count<&restart_limits::max_restarts>("max-restarts",
                                         "Failed starts of a worker within the window before giving up"),
    duration<&restart_limits::window>("restart-window", "The window of max-restarts"),
    count<&limits::frame_bytes_max>("limits.frame-bytes-max", "Largest frame of the client protocol"),
    count<&limits::nesting_max>("limits.nesting-max", "Deepest nesting of a message"),
    count<&limits::key_bytes_max>("limits.key-bytes-max", "Longest key of an actor"),
    count<&limits::unfinished_calls_max>("limits.unfinished-calls-max", "Unfinished calls of a connection"),
    count<&limits::output_buffer_bytes_max>("limits.output-buffer-bytes-max",
                                            "Unsent bytes of a connection before it is no longer read"),
    count<&limits::connections_max>("limits.connections-max", "Connections of a worker"),
    count<&limits::mailbox_messages_max>("limits.mailbox-messages-max", "Messages in an actor's mailbox"),
    count<&limits::mailbox_bytes_max>("limits.mailbox-bytes-max", "Bytes in an actor's mailbox"),
    count<&limits::stacks_max>("limits.stacks-max", "Greenlet stacks of a worker"),
    duration<&limits::slow_reader_cut>("limits.slow-reader-cut",
                                       "A client that reads nothing for this long is cut off"),
    duration<&limits::first_frame_within>("limits.first-frame-within", "Time for a connection's first frame"),
    duration<&limits::call_deadline>("limits.call-deadline", "Deadline of a call that has none"),
    duration<&limits::idle_timeout>("limits.idle-timeout", "An actor without messages for this long is passivated"),
};

}  // namespace

std::span<const config_key> config_keys() noexcept {
  return keys;
}

const config_key* find_config_key(std::string_view name) noexcept {
  const auto* const found = std::ranges::find(keys, name, &config_key::name);
  return found == keys.end() ? nullptr : found;
}

std::string environment_name(std::string_view key) {
  std::string name = "GROVE_";
  for (const char letter : key) {
    const bool separator = letter == '-' || letter == '.';
    name.push_back(separator ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(letter))));
  }
  return name;
}

}  // namespace grove::server::detail
