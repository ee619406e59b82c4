// SPDX-License-Identifier: Apache-2.0
#include "server/internal/config_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "base/process/limits.h"
#include "base/process/shared_segment_layout.h"
#include "base/values.h"

namespace grove::server::detail {
namespace {

constexpr std::array<std::string_view, 7> log_levels = {"trace", "debug",    "info", "warning",
                                                        "error", "critical", "off"};

complaint set_listen(const config_key& /*key*/, std::string_view text, server_config& config) {
  const auto address = parse_host_port(text);
  if (!address) return "must be HOST:PORT, for example 127.0.0.1:7400";
  config.listen = *address;
  return std::nullopt;
}

complaint set_admin(const config_key& /*key*/, std::string_view text, server_config& config) {
  if (text == "off") {
    config.admin.reset();
    return std::nullopt;
  }
  const auto address = parse_host_port(text);
  if (!address) return "must be HOST:PORT, for example 127.0.0.1:7401, or off";
  config.admin = address;
  return std::nullopt;
}

/// A number that `range` has.
std::optional<std::uint64_t> within(const value_range& range, std::optional<std::uint64_t> number) {
  return number && *number >= range.least && *number <= range.most ? number : std::nullopt;
}

complaint set_workers(const config_key& key, std::string_view text, server_config& config) {
  if (text == "auto") {
    config.workers.reset();
    return std::nullopt;
  }
  const auto number = within(key.range, parse_size(text));
  if (!number) return fmt::format("must be a number of workers, from {}, or auto", key.range.to_string());
  config.workers = static_cast<std::uint32_t>(*number);
  return std::nullopt;
}

complaint set_pin(const config_key& /*key*/, std::string_view text, server_config& config) {
  if (text != "auto" && text != "off") return "must be auto or off";
  config.pin = text == "auto" ? pinning::automatic : pinning::off;
  return std::nullopt;
}

complaint set_backdoor(const config_key& /*key*/, std::string_view text, server_config& config) {
  if (text.empty()) return "must be a folder, or off";
  config.backdoor = text == "off" ? std::string_view{} : text;
  return std::nullopt;
}

complaint set_log_level(const config_key& /*key*/, std::string_view text, server_config& config) {
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
  } else if constexpr (requires { config.hangs.*Member; }) {
    return config.hangs.*Member;
  } else if constexpr (requires { config.restarts.*Member; }) {
    return config.restarts.*Member;
  } else {
    return config.limits.*Member;
  }
}

std::string milliseconds_text(std::uint64_t value) {
  return duration_value(std::chrono::milliseconds{value});
}

template <auto Member>
complaint set_duration(const config_key& key, std::string_view text, server_config& config) {
  const auto parsed = parse_duration(text);
  if (parsed && *parsed % std::chrono::milliseconds{1} != std::chrono::microseconds{0}) {
    return "must be a whole number of milliseconds";
  }
  if (!parsed) return fmt::format("must be {}, from {}", duration_form, key.range.to_string());
  const auto value = within(key.range, static_cast<std::uint64_t>(*parsed / std::chrono::milliseconds{1}));
  if (!value) return fmt::format("must be from {}", key.range.to_string());
  at<Member>(config) = std::chrono::milliseconds{*value};
  return std::nullopt;
}

template <auto Member>
complaint set_duration_or_off(const config_key& key, std::string_view text, server_config& config) {
  if (text == "off") {
    at<Member>(config) = std::chrono::milliseconds{0};
    return std::nullopt;
  }
  auto wrong = set_duration<Member>(key, text, config);
  if (wrong) *wrong += ", or off";
  return wrong;
}

template <auto Member>
complaint set_count(const config_key& key, std::string_view text, server_config& config) {
  const auto value = within(key.range, parse_size(text));
  if (!value) return fmt::format("must be a whole number, from {}", key.range.to_string());
  at<Member>(config) = static_cast<std::uint32_t>(*value);
  return std::nullopt;
}

template <auto Member>
complaint set_size(const config_key& key, std::string_view text, server_config& config) {
  const auto value = within(key.range, parse_size(text));
  // An example is no help where it would be refused.
  const std::string_view form = within(key.range, 2U << 20U) ? size_form : "a size, such as 2KiB";
  if (!value) return fmt::format("must be {}, from {}", form, key.range.to_string());
  at<Member>(config) = static_cast<std::uint32_t>(*value);
  return std::nullopt;
}

std::string plain_text(std::uint64_t value) {
  return std::to_string(value);
}

/// The value of a member as `Text` writes it; 0 is no duration that could be set, but "off".
template <auto Member, auto Text>
std::string text_of(const server_config& config) {
  server_config copy = config;
  auto& value = at<Member>(copy);
  if constexpr (requires { value.count(); }) {
    return value.count() == 0 ? "off" : Text(static_cast<std::uint64_t>(value.count()));
  } else {
    return Text(value);
  }
}

struct durations {
  std::chrono::milliseconds least;
  std::chrono::milliseconds most;
};

constexpr value_range range_of(durations allowed) {
  return {static_cast<std::uint64_t>(allowed.least.count()), static_cast<std::uint64_t>(allowed.most.count()),
          milliseconds_text};
}

struct counts {
  std::uint32_t least;
  std::uint32_t most;
};

template <auto Member>
constexpr config_key duration(std::string_view name, durations allowed, std::string_view help) {
  return {name, "DURATION", help, text_of<Member, milliseconds_text>, set_duration<Member>, range_of(allowed)};
}

template <auto Member>
constexpr config_key duration_or_off(std::string_view name, durations allowed, std::string_view help) {
  return {
      name, "DURATION|off", help, text_of<Member, milliseconds_text>, set_duration_or_off<Member>, range_of(allowed)};
}

template <auto Member>
constexpr config_key count(std::string_view name, counts allowed, std::string_view help) {
  return {name, "N", help, text_of<Member, plain_text>, set_count<Member>, {allowed.least, allowed.most, plain_text}};
}

template <auto Member>
constexpr config_key size(std::string_view name, counts allowed, std::string_view help) {
  return {name, "SIZE", help, text_of<Member, size_value>, set_size<Member>, {allowed.least, allowed.most, size_value}};
}

/// A setting of the table of limits.
template <auto Member, limit_unit Unit>
constexpr config_key limit(std::string_view name, std::uint32_t least, std::uint32_t most, std::string_view help) {
  if constexpr (Unit == limit_unit::milliseconds) {
    return duration<Member>(name, {std::chrono::milliseconds{least}, std::chrono::milliseconds{most}}, help);
  } else if constexpr (Unit == limit_unit::bytes) {
    return size<Member>(name, {least, most}, help);
  } else {
    return count<Member>(name, {least, most}, help);
  }
}

/// The two settings that later versions have: refused rather than accepted without an effect.
complaint refuse_data(const config_key& /*key*/, std::string_view /*text*/, server_config& /*config*/) {
  return "cannot be set: this version keeps the state of actors in memory only, and loses it when the server "
         "stops; "
         "leave it out";
}

complaint refuse_actors(const config_key& /*key*/, std::string_view /*text*/, server_config& /*config*/) {
  return "cannot be set: this version serves its built-in actor types and loads no modules; leave it out";
}

std::string nothing(const server_config& /*config*/) {
  return {};
}

using grove::limits;
using namespace std::chrono_literals;

// Not a matter of taste: a healthy worker's heart beats every 100 ms, and the supervisor looks as often.
constexpr std::array keys = {
    config_key{"listen", "HOST:PORT", "Where clients connect; port 0 lets the kernel choose",
               [](const server_config& c) { return c.listen.to_string(); }, set_listen},
    config_key{"admin", "HOST:PORT|off", "Where /livez, /readyz and /metrics are served",
               [](const server_config& c) { return c.admin ? c.admin->to_string() : std::string{"off"}; }, set_admin},
    config_key{"workers", "N|auto", "Worker processes; auto: one a core that this process may use",
               [](const server_config& c) { return c.workers ? std::to_string(*c.workers) : std::string{"auto"}; },
               set_workers, value_range{1, workers_max, plain_text}},
    config_key{"pin", "auto|off", "Bind each worker to a core",
               [](const server_config& c) { return std::string{c.pin == pinning::off ? "off" : "auto"}; }, set_pin},
    config_key{"data", "DIR", "Where state is kept (not in this version: state lives in memory)", nothing, refuse_data,
               value_range{}, true},
    config_key{"actors", "FILE|DIR", "Modules with actor types (not in this version)", nothing, refuse_actors,
               value_range{}, true},
    config_key{"log-level", "LEVEL", "trace, debug, info, warning, error, critical or off",
               [](const server_config& c) { return c.log_level; }, set_log_level},
    duration<&server_config::drain_timeout>("drain-timeout", {1ms, 24h},
                                            "After SIGTERM, how long begun work may take to finish"),
    duration<&server_config::start_timeout>("start-timeout", {100ms, 1h}, "How long a worker may take to get ready"),
    duration_or_off<&hang_limits::timeout>("hang-timeout", {300ms, 1h},
                                           "A worker whose loop stands still for this long is dumped and replaced"),
    duration<&hang_limits::kill_after_abort>("kill-after-abort", {10ms, 10min},
                                             "How long such a worker may take to dump what it does"),
    duration_or_off<&server_config::stall_after>("stall-after", {1ms, 1h},
                                                 "A turn that holds its worker for this long is logged with its stack"),
    config_key{"backdoor", "DIR|off", "Where workers open sockets that show what their greenlets do",
               [](const server_config& c) { return c.backdoor.empty() ? std::string{"off"} : c.backdoor; },
               set_backdoor},
    count<&restart_limits::max_restarts>("max-restarts", {1, 1'000},
                                         "Failed starts of a worker within the window before giving up"),
    duration<&restart_limits::window>("restart-window", {1s, 24h}, "The window of max-restarts"),
    count<&restart_limits::budget>(
        "restart-budget", {1, 1'000},
        "Deaths of a worker that served within restart-budget-window before its next restart "
        "waits"),
    duration<&restart_limits::budget_window>("restart-budget-window", {1s, 1h}, "The window of restart-budget"),
    duration<&restart_limits::first_delay>("restart-delay", {1ms, 1h},
                                           "Before the restart of a worker that failed to start, or died twice in one "
                                           "actor and method; then doubled"),
    duration<&restart_limits::longest_delay>("restart-delay-max", {1ms, 1h}, "Where the doubling ends"),
    duration<&restart_limits::healthy_after>("restart-healthy-after", {1s, 24h},
                                             "After it served for this long, a worker's earlier deaths are forgotten"),
#define GROVE_X(name, setting, unit, standard, least, most, help) \
  limit<&limits::name, limit_unit::unit>(setting, least, most, help),
    GROVE_LIMITS(GROVE_X)
#undef GROVE_X
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
