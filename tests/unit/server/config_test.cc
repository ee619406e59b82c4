// SPDX-License-Identifier: Apache-2.0
#include "server/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <regex>
#include <sstream>

#include "base/exit_codes.h"
#include "base/process/shared_segment.h"
#include "grove/v1/control.pb.h"
#include "server/internal/config_keys.h"
#include "server/text_file.h"
#include "tests/support/temporary_folder.h"

namespace grove::server {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

using strings = std::vector<std::string>;
using variables = std::vector<std::pair<std::string, std::string>>;

std::variant<server_config, config_exit> read(strings arguments, variables environment = {},
                                              const std::string& file = {}) {
  return read_config(
      {std::move(arguments), std::move(environment), [&file](const std::string& path) -> std::optional<std::string> {
         if (path == "grove.toml") return file;
         errno = ENOENT;
         return std::nullopt;
       }});
}

server_config good(strings arguments, variables environment = {}, const std::string& file = {}) {
  auto outcome = read(std::move(arguments), std::move(environment), file);
  if (const auto* stop = std::get_if<config_exit>(&outcome)) {
    ADD_FAILURE() << stop->text;
    return {};
  }
  return std::get<server_config>(outcome);
}

std::string error(strings arguments, variables environment = {}, const std::string& file = {}) {
  auto outcome = read(std::move(arguments), std::move(environment), file);
  const auto* stop = std::get_if<config_exit>(&outcome);
  if (stop == nullptr) return "no error";
  EXPECT_EQ(stop->code, exit_codes::bad_configuration);
  return stop->text;
}

TEST(config, has_the_documented_defaults) {
  const server_config config = good({});
  EXPECT_EQ(config.listen, (host_port{"127.0.0.1", 7400}));
  EXPECT_EQ(config.admin, (host_port{"127.0.0.1", 7401}));
  EXPECT_EQ(config.workers, std::nullopt);
  EXPECT_EQ(config.log_level, "info");
  EXPECT_EQ(config.drain_timeout, 25s);
  EXPECT_EQ(config.hangs.timeout, 2s);
  EXPECT_EQ(config.start_timeout, 10s);
  EXPECT_EQ(config.stall_after, 25ms);
  EXPECT_EQ(config.backdoor, "");
  EXPECT_EQ(config.restarts.max_restarts, 5U);
  EXPECT_EQ(config.hangs.kill_after_abort, 500ms);
  EXPECT_EQ(config.restarts.window, 60s);
  EXPECT_EQ(config.restarts.budget, 10U);
  EXPECT_EQ(config.restarts.budget_window, 10s);
  EXPECT_EQ(config.restarts.first_delay, 100ms);
  EXPECT_EQ(config.restarts.longest_delay, 5s);
  EXPECT_EQ(config.restarts.healthy_after, 60s);
  EXPECT_EQ(config.limits.mailbox_messages_max, 128U);
}

TEST(config, every_source_sets_the_same_keys) {
  for (const server_config& config :
       {good({"--workers", "3", "--listen=0.0.0.0:1", "--admin", "off", "--limits.key-bytes-max=64", "--drain-timeout",
              "500ms", "--hang-timeout=off", "--pin=off", "--log-level", "debug"}),
        good({}, {{"GROVE_WORKERS", "3"},
                  {"GROVE_LISTEN", "0.0.0.0:1"},
                  {"GROVE_ADMIN", "off"},
                  {"GROVE_LIMITS_KEY_BYTES_MAX", "64"},
                  {"GROVE_DRAIN_TIMEOUT", "500ms"},
                  {"GROVE_HANG_TIMEOUT", "off"},
                  {"GROVE_PIN", "off"},
                  {"GROVE_LOG_LEVEL", "debug"}}),
        good({"--config", "grove.toml"}, {},
             "workers = 3\nlisten = '0.0.0.0:1'\nadmin = 'off'\ndrain-timeout = '500ms'\nhang-timeout = "
             "'off'\n"
             "pin = 'off'\nlog-level = 'debug'\n[limits]\nkey-bytes-max = 64\n")}) {
    EXPECT_EQ(config.workers, 3U);
    EXPECT_EQ(config.listen, (host_port{"0.0.0.0", 1}));
    EXPECT_FALSE(config.admin);
    EXPECT_EQ(config.limits.key_bytes_max, 64U);
    EXPECT_EQ(config.drain_timeout, 500ms);
    EXPECT_EQ(config.hangs.timeout, 0s);
    EXPECT_EQ(config.pin, pinning::off);
    EXPECT_EQ(config.log_level, "debug");
  }
}

TEST(config, flags_win_over_the_environment_which_wins_over_the_file) {
  const std::string file = "workers = 1\ndrain-timeout = '1s'\nhang-timeout = '1s'\n";
  const variables environment = {{"GROVE_CONFIG", "grove.toml"}, {"GROVE_WORKERS", "2"}, {"GROVE_DRAIN_TIMEOUT", "2s"}};
  const server_config config = good({"--workers", "3"}, environment, file);
  EXPECT_EQ(config.workers, 3U);
  EXPECT_EQ(config.drain_timeout, 2s);
  EXPECT_EQ(config.hangs.timeout, 1s);
}

TEST(config, a_flag_given_twice_has_its_last_value) {
  EXPECT_EQ(good({"--workers", "2", "--workers", "4"}).workers, 4U);
}

TEST(config, an_unknown_flag_is_named_with_the_nearest_one) {
  EXPECT_THAT(error({"--listn", "x:1"}), HasSubstr("flag --listn: there is no such option; did you mean --listen?"));
  EXPECT_THAT(error({"--listn", "x:1"}), Not(HasSubstr("x:1")));
  EXPECT_THAT(error({"--wrokers=2"}), HasSubstr("did you mean --workers?"));
  EXPECT_THAT(error({"--completely-different"}), Not(HasSubstr("did you mean")));
}

TEST(config, an_argument_without_a_flag_is_refused) {
  EXPECT_THAT(error({"serve"}), HasSubstr("unexpected argument 'serve'"));
}

TEST(config, a_flag_without_its_value_is_refused) {
  EXPECT_THAT(error({"--workers"}), HasSubstr("--workers"));
}

TEST(config, an_unknown_variable_is_named_with_the_nearest_one) {
  EXPECT_THAT(error({}, {{"GROVE_LISTN", "x:1"}}),
              HasSubstr("environment variable GROVE_LISTN: there is no such setting; did you mean GROVE_LISTEN?"));
}

TEST(config, a_slip_of_a_variable_is_an_error_whatever_it_looks_like) {
  EXPECT_THAT(error({}, {{"GROVE_WORKER", "2"}}), HasSubstr("GROVE_WORKER: there is no such setting; did you mean "
                                                            "GROVE_WORKERS?"));
  EXPECT_THAT(error({}, {{"GROVE_KEY_BYTES_MAX", "64"}}), HasSubstr("did you mean GROVE_LIMITS_KEY_BYTES_MAX?"));
  EXPECT_THAT(error({"--key-bytes-max=64"}), HasSubstr("did you mean --limits.key-bytes-max?"));
  for (const auto& [name, value] : variables{{"GROVE_PORT", "7400"},
                                             {"GROVE_ADMIN_PORT", "7401"},
                                             {"GROVE_SERVICE_HOST", "localhost"},
                                             {"GROVE_SERVICE_PORT", "clients"},
                                             {"GROVE_X", ""},
                                             {"GROVE_", "1"}}) {
    EXPECT_THAT(error({}, {{name, value}}), HasSubstr("environment variable " + name + ": there is no such setting"));
  }
}

TEST(config, variables_of_others_are_left_alone) {
  EXPECT_EQ(good({}, {{"PATH", "/bin"},
                      {"GROVE_TEST_WORKER_PROGRAM", "/x"},
                      {"GROVE_SERVER", "127.0.0.1:7400"},
                      {"GROVE_TEST_ANYTHING", "1"},
                      {"GROVE_PORT", "tcp://10.0.0.1:7400"},
                      {"GROVE_SERVICE_HOST", "10.0.0.1"},
                      {"GROVE_SERVICE_PORT_CLIENTS", "7400"},
                      {"GROVE_PORT_7400_TCP", "tcp://10.0.0.1:7400"},
                      {"GROVE_PORT_7400_TCP_ADDR", "10.0.0.1"},
                      {"GROVE_PORT_7400_TCP_PORT", "7400"},
                      {"GROVE_PORT_7400_TCP_PROTO", "tcp"},
                      {"GROVE_6_SERVICE_HOST", "fd00::1"},
                      {"GROVE_6_PORT", "tcp://[fd00::1]:7400"},
                      {"GROVE_SERVICE_PORT", "7400"},
                      {"GROVE_ADMIN_SERVICE_HOST", "10.0.0.1"}})
                .listen,
            (host_port{"127.0.0.1", 7400}));
}

TEST(config, an_error_in_the_file_has_its_line) {
  EXPECT_THAT(error({"--config", "grove.toml"}, {}, "workers = 2\nwrokers = 3\n"),
              HasSubstr("grove.toml:2: there is no setting 'wrokers'; did you mean workers?"));
  EXPECT_THAT(error({"--config", "grove.toml"}, {}, "\n[limits]\nkey-bytes-max = -4\n"),
              HasSubstr("grove.toml:3: limits.key-bytes-max '-4' must be a size, such as 2KiB, from 1 to 65535"));
  EXPECT_THAT(error({"--config", "grove.toml"}, {}, "workers = 2\nlisten = = 3\n"),
              HasSubstr("grove.toml:2: not TOML"));
  EXPECT_THAT(
      error({"--config", "grove.toml"}, {}, "config = 'other.toml'\n"),
      testing::StrEq("grove-server: grove.toml:1: there is no setting 'config' in a file; it is the flag --config or "
                     "GROVE_CONFIG\n"));
  EXPECT_THAT(error({"--config", "grove.toml"}, {}, "confg = 'other.toml'\n"), Not(HasSubstr("did you mean")));
}

TEST(config, a_number_of_the_file_may_have_any_base_of_toml) {
  const server_config config = good({"--config=grove.toml"}, {},
                                    "workers = 0b11\nmax-restarts = 0o17\n[limits]\nkey-bytes-max = 0x40\n"
                                    "frame-bytes-max = 0x10_0000\ncall-depth-max = 1_0\n");
  EXPECT_EQ(config.workers, 3U);
  EXPECT_EQ(config.restarts.max_restarts, 15U);
  EXPECT_EQ(config.limits.key_bytes_max, 64U);
  EXPECT_EQ(config.limits.frame_bytes_max, 1U << 20U);
  EXPECT_EQ(config.limits.call_depth_max, 10U);
  EXPECT_THAT(error({"--config=grove.toml"}, {}, "workers = 0xff\n"), HasSubstr("grove.toml:1: workers '255' must be"));
}

TEST(config, a_table_with_nothing_in_it_is_judged_like_any_other) {
  EXPECT_EQ(good({"--config=grove.toml"}, {}, "workers = 2\n[limits]\n").workers, 2U);
  EXPECT_THAT(error({"--config=grove.toml"}, {}, "workers = 2\n[limit]\n"),
              HasSubstr("grove.toml:2: there is no table 'limit'; did you mean limits?"));
  EXPECT_THAT(error({"--config=grove.toml"}, {}, "[logging]\n"),
              HasSubstr("grove.toml:1: there is no table 'logging'"));
  EXPECT_THAT(error({"--config=grove.toml"}, {}, "[limits.gate]\n"), HasSubstr("there is no table 'limits.gate'"));
  EXPECT_THAT(error({"--config=grove.toml"}, {}, "pin = {}\n"), HasSubstr("pin is a setting and no table"));
  EXPECT_THAT(error({"--config=grove.toml"}, {}, "[[limits]]\n"),
              HasSubstr("grove.toml:1: there is no setting 'limits'"));
}

TEST(config, an_error_is_safe_to_show_whatever_was_set) {
  const std::string text = error({"--\x1b[2J", "--pin=\x1b]0;x\a"}, {{"GROVE_LISTEN", "\xff\n"}});
  EXPECT_THAT(text, HasSubstr("flag --\\x1b[2J: there is no such option"));
  EXPECT_THAT(text, HasSubstr("'\\x1b]0;x\\x07' must be auto or off"));
  EXPECT_THAT(text, HasSubstr("'\\xff\\n' must be HOST:PORT"));
}

TEST(config, a_file_that_cannot_be_read_is_named_with_who_asked_for_it) {
  EXPECT_THAT(error({"--config", "absent.toml"}),
              HasSubstr("flag --config: the file 'absent.toml' cannot be read: No such file or directory"));
  EXPECT_THAT(error({}, {{"GROVE_CONFIG", "absent.toml"}}), HasSubstr("environment variable GROVE_CONFIG: the file"));
}

TEST(config, a_name_that_is_near_to_none_gets_the_place_where_they_are_listed) {
  for (const std::string& text : {error({"--completely-different"}), error({}, {{"GROVE_X", "1"}}),
                                  error({"--config=grove.toml"}, {}, "completely-different = 1\n"),
                                  error({"--config=grove.toml"}, {}, "[completely.different]\na = 1\n"),
                                  error({"--config=grove.toml"}, {}, "[nope]\n")}) {
    EXPECT_THAT(text, HasSubstr("; grove-server --help lists them"));
  }
}

TEST(text_file, that_cannot_be_read_leaves_the_reason_in_errno) {
  const test::temporary_folder folder;
  EXPECT_EQ(read_text_file(folder.path().string()), std::nullopt);
  EXPECT_EQ(errno, EISDIR);
  EXPECT_EQ(read_text_file((folder.path() / "absent").string()), std::nullopt);
  EXPECT_EQ(errno, ENOENT);
}

struct bad_value {
  std::string key;
  std::string value;
};

class config_value : public testing::TestWithParam<bad_value> {};

TEST_P(config_value, that_is_wrong_is_named_with_its_place) {
  const auto& [key, value] = GetParam();
  EXPECT_THAT(error({"--" + key + "=" + value}), HasSubstr("flag --" + key + ": '" + value + "' "));
}

INSTANTIATE_TEST_SUITE_P(table, config_value,
                         testing::Values(bad_value{"listen", "7400"}, bad_value{"admin", "none"},
                                         bad_value{"workers", "0"}, bad_value{"workers", "129"},
                                         bad_value{"workers", "many"}, bad_value{"pin", "yes"},
                                         bad_value{"log-level", "loud"}, bad_value{"drain-timeout", "25 s"},
                                         bad_value{"drain-timeout", "off"}, bad_value{"hang-timeout", "0s"},
                                         bad_value{"start-timeout", "soon"}, bad_value{"max-restarts", "-1"},
                                         bad_value{"restart-window", "0s"}, bad_value{"limits.frame-bytes-max", "0"},
                                         bad_value{"limits.frame-bytes-max", "8GiB"},
                                         bad_value{"limits.call-deadline", "3x"}));

/// Settings that are numbers; each is tried with its least and its most, and with what is one past them.
std::vector<detail::config_key> numbers() {
  std::vector<detail::config_key> found;
  for (const detail::config_key& key : detail::config_keys()) {
    if (key.range.text != nullptr) found.push_back(key);
  }
  return found;
}

class number_setting : public testing::TestWithParam<detail::config_key> {
 protected:
  /// Reads this setting alone, beside those that must not be smaller.
  static strings arguments(std::uint64_t value) {
    const auto& [name, key] = std::pair{std::string{GetParam().name}, GetParam()};
    strings made{"--restart-delay-max=1h", "--limits.call-deadline-max=24h"};
    if (name.ends_with("-max")) made = {"--restart-delay=1ms", "--limits.call-deadline=1ms"};
    made.push_back("--" + name + "=" + key.range.text(value));
    return made;
  }
};

TEST_P(number_setting, takes_its_least_and_its_most) {
  for (const std::uint64_t value : {GetParam().range.least, GetParam().range.most}) {
    EXPECT_EQ(GetParam().current(good(arguments(value))), GetParam().range.text(value));
  }
}

TEST_P(number_setting, refuses_one_less_and_one_more_with_its_range) {
  for (const std::uint64_t value : {GetParam().range.least - 1, GetParam().range.most + 1}) {
    const std::string text = error(arguments(value));
    EXPECT_THAT(text, HasSubstr("flag --" + std::string{GetParam().name} + ": '" + GetParam().range.text(value) + "'"));
    EXPECT_THAT(text, HasSubstr(GetParam().range.to_string()));
  }
}

TEST_P(number_setting, is_in_the_help_with_its_range) {
  // The help is broken into lines where they have room.
  const std::string help = std::regex_replace(std::get<config_exit>(read({"--help"})).text, std::regex{"\\s+"}, " ");
  EXPECT_THAT(help, HasSubstr("(" + GetParam().range.to_string() + ")"));
}

INSTANTIATE_TEST_SUITE_P(all, number_setting, testing::ValuesIn(numbers()), [](const auto& test) {
  std::string name{test.param.name};
  std::ranges::replace_if(
      name, [](char letter) { return letter == '-' || letter == '.'; }, '_');
  return name;
});

TEST(config, every_limit_that_workers_get_can_be_set) {
  const auto names_limit = [](const detail::config_key& key) { return key.name.starts_with("limits."); };
  EXPECT_EQ(std::ranges::count_if(detail::config_keys(), names_limit), v1::ServerLimits::descriptor()->field_count());
}

TEST(config, a_ring_holds_the_largest_frame_whatever_the_number_of_workers) {
  const auto frame = detail::find_config_key("limits.frame-bytes-max")->range.most;
  for (const std::uint32_t workers : {1U, 2U, 8U, workers_max}) {
    const auto made = shared_segment::create(
        {.workers = workers, .frame_bytes_max = static_cast<std::uint32_t>(frame), .server_version = {}});
    EXPECT_GE(made.ring_bytes(), frame + ring_record_margin);
    EXPECT_EQ(shared_segment::open(unique_fd{::dup(made.fd())}).ring_bytes(), made.ring_bytes());
  }
}

TEST(config, durations_and_sizes_are_written_as_in_all_programs) {
  EXPECT_EQ(good({"--drain-timeout=1.5s"}).drain_timeout, 1500ms);
  EXPECT_EQ(good({}, {{"GROVE_DRAIN_TIMEOUT", "30"}}).drain_timeout, 30s);
  EXPECT_EQ(good({"--config=grove.toml"}, {}, "drain-timeout = 2.5\n").drain_timeout, 2500ms);
  EXPECT_EQ(good({"--limits.frame-bytes-max=1.5MiB"}).limits.frame_bytes_max, 1'572'864U);
  EXPECT_THAT(error({"--drain-timeout=soon"}),
              HasSubstr("'soon' must be a duration, such as 30s or 500ms, from 1ms to 24h"));
  EXPECT_THAT(error({"--hang-timeout=soon"}), HasSubstr("from 300ms to 1h, or off"));
  EXPECT_THAT(error({"--drain-timeout=1500us"}), HasSubstr("'1500us' must be a whole number of milliseconds"));
  EXPECT_THAT(error({"--limits.frame-bytes-max=2MB"}), HasSubstr("'2MB' must be a size, such as 2MiB, from 64KiB"));
  EXPECT_THAT(error({"--limits.nesting-max=deep"}), HasSubstr("'deep' must be a whole number, from 1 to 100"));
}

TEST(config, a_whole_number_has_any_base_of_toml_in_every_source) {
  EXPECT_EQ(good({}, {{"GROVE_LIMITS_FRAME_BYTES_MAX", "0x100000"}}).limits.frame_bytes_max, 1U << 20U);
  EXPECT_EQ(good({"--workers=0b11", "--max-restarts=0o17"}).workers, 3U);
  EXPECT_EQ(good({"--config=grove.toml"}, {}, "workers = '0x3'\n").workers, 3U);
}

TEST(config, a_duration_that_is_out_of_range_is_told_of_the_range) {
  for (const auto* text : {"25h", "1000000h", "2628000h", "9223372036s", "0s", "1e400"}) {
    EXPECT_EQ(error({std::string{"--drain-timeout="} + text}),
              "grove-server: flag --drain-timeout: '" + std::string{text} + "' must be from 1ms to 24h\n");
  }
}

TEST(config, a_default_follows_its_maximum) {
  EXPECT_EQ(good({"--restart-delay-max=1ms"}).restarts.first_delay, 1ms);
  EXPECT_EQ(good({}, {{"GROVE_RESTART_DELAY_MAX", "50ms"}}).restarts.first_delay, 50ms);
  EXPECT_EQ(good({"--config=grove.toml"}, {}, "[limits]\ncall-deadline-max = '5s'\n").limits.call_deadline, 5s);
  EXPECT_EQ(good({"--restart-delay-max=1s"}).restarts.first_delay, 100ms);
}

TEST(config, two_durations_that_contradict_each_other_are_named) {
  EXPECT_THAT(error({"--limits.call-deadline=20m"}),
              HasSubstr("limits.call-deadline (20m) must not be longer than limits.call-deadline-max (10m)"));
  EXPECT_THAT(error({"--restart-delay-max=50ms"}, {{"GROVE_RESTART_DELAY", "100ms"}}),
              HasSubstr("restart-delay (100ms) must not be longer than restart-delay-max (50ms)"));
}

TEST(config, what_this_version_does_not_have_is_refused_and_says_so) {
  EXPECT_THAT(error({"--data", "/var/lib/grove"}), HasSubstr("in memory"));
  EXPECT_THAT(error({}, {{"GROVE_ACTORS", "/usr/lib/bank.so"}}), HasSubstr("loads no modules"));
  EXPECT_THAT(error({"--config", "grove.toml"}, {}, "data = '/var/lib/grove'\n"), HasSubstr("grove.toml:1: data"));
}

TEST(config, help_fits_a_terminal_and_leaves_out_what_is_always_refused) {
  const std::string help = std::get<config_exit>(read({"--help"})).text;
  std::istringstream lines{help};
  for (std::string line; std::getline(lines, line);)
    EXPECT_LE(line.size(), 80U) << line;
  EXPECT_THAT(help, Not(testing::AnyOf(HasSubstr("--data"), HasSubstr("--actors"), HasSubstr("Display program"))));
}

TEST(config, an_empty_value_is_an_error_and_takes_nothing_from_what_follows) {
  EXPECT_EQ(error({"--listen=", "--workers", "2"}), "grove-server: flag --listen: there is no value behind its '='\n");
  EXPECT_THAT(error({"--config="}), HasSubstr("flag --config: there is no value behind its '='"));
  EXPECT_THAT(error({"--backdoor=", "--admin="}), testing::AllOf(HasSubstr("--backdoor"), HasSubstr("--admin")));
  EXPECT_THAT(error({"--workers", ""}), HasSubstr("flag --workers: '' must be"));
  EXPECT_THAT(error({"--max-restarts", ""}), HasSubstr("flag --max-restarts: '' must be"));
  EXPECT_THAT(error({"--lisen="}), HasSubstr("flag --lisen: there is no such option; did you mean --listen?"));
  EXPECT_THAT(error({"--listen"}), HasSubstr("--listen needs a value: HOST:PORT"));
  EXPECT_THAT(error({"-o", "json"}), HasSubstr("flag -o: there is no such option"));
}

TEST(config, the_folder_of_the_back_door_is_looked_at_before_workers_start) {
  const auto with_backdoor = [](strings arguments, variables environment) {
    config_sources sources{std::move(arguments), std::move(environment), {}};
    sources.folder_trouble = [](const std::string& path) -> std::optional<std::string> {
      if (path == "/there") return std::nullopt;
      return "No such file or directory";
    };
    const auto outcome = read_config(sources);
    const auto* stop = std::get_if<config_exit>(&outcome);
    return stop == nullptr ? std::string{} : std::to_string(stop->code) + " " + stop->text;
  };
  EXPECT_EQ(with_backdoor({"--backdoor", "/there"}, {}), "");
  EXPECT_EQ(with_backdoor({"--backdoor", "off"}, {{"GROVE_BACKDOOR", "/gone"}}), "");
  EXPECT_EQ(with_backdoor({"--backdoor", "/there"}, {{"GROVE_BACKDOOR", "/gone"}}), "")
      << "only what counts is looked at";
  EXPECT_EQ(with_backdoor({}, {{"GROVE_BACKDOOR", "/gone"}}),
            "64 grove-server: environment variable GROVE_BACKDOOR: no sockets can be made in '/gone': No such file or "
            "directory\n");
}

TEST(config, all_errors_are_told_at_once) {
  const std::string text = error({"--workers", "x", "--listn", "y"}, {{"GROVE_PIN", "z"}});
  EXPECT_THAT(text, HasSubstr("--workers"));
  EXPECT_THAT(text, HasSubstr("--listn"));
  EXPECT_THAT(text, HasSubstr("GROVE_PIN"));
}

TEST(config, help_and_version_end_with_success) {
  const auto help = std::get<config_exit>(read({"--help"}));
  EXPECT_EQ(help.code, 0);
  for (const auto* flag : {"--config", "--listen", "--admin", "--workers", "--drain-timeout", "--limits.key-bytes-max",
                           "GROVE_DRAIN_TIMEOUT", "127.0.0.1:7400"}) {
    EXPECT_THAT(help.text, HasSubstr(flag));
  }
  const auto version = std::get<config_exit>(read({"--version"}));
  EXPECT_EQ(version.code, 0);
  EXPECT_THAT(version.text,
              testing::MatchesRegex("grove-server [0-9]+\\.[0-9]+\\.[0-9]+( \\(commit [0-9a-f]+(-dirty)?\\))?\n"));
}

}  // namespace
}  // namespace grove::server
