// SPDX-License-Identifier: Apache-2.0
#include "tests/support/server_process.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <regex>
#include <stdexcept>

#include "base/clock.h"
#include "tests/support/core_dumps.h"
#include "tests/support/wire_client.h"

namespace grove::test {

std::string cli_program() {
  return GROVE_CLI_PROGRAM;
}
std::string server_program() {
  return GROVE_SERVER_PROGRAM;
}
std::string worker_program() {
  return GROVE_WORKER_PROGRAM;
}

server_process::server_process(const server_settings& settings) {
  disable_core_dumps();
  process_options options;
  options.err_pipe_bytes = settings.err_pipe_bytes;
  options.arguments = {server_program(),
                       "--listen",
                       settings.listen,
                       "--admin",
                       "127.0.0.1:0",
                       "--workers",
                       std::to_string(settings.workers)};
  options.arguments.insert(options.arguments.end(), settings.more.begin(), settings.more.end());
  // On a busy machine a worker may get no time for as long as a healthy one never takes, and the longer if it may use but
  // one core of it; a test that wants a hang says so by its flags, which win.
  options.environment = {{"GROVE_HANG_TIMEOUT", "30s"}, {"GROVE_START_TIMEOUT", "60s"}, {"GROVE_PIN", "off"}};
  if (!settings.worker_program.empty())
    options.environment.emplace_back("GROVE_TEST_WORKER_PROGRAM", settings.worker_program);
  process_ = std::make_unique<child_process>(options);
  const std::string line = process_->wait_for_line("ready: ", std::chrono::seconds{60});
  static const std::regex addresses{R"(serves? (127\.0\.0\.1:\d+) \(admin (127\.0\.0\.1:\d+)\))"};
  std::smatch found;
  if (!std::regex_search(line, found, addresses)) throw std::runtime_error{"no addresses in: " + line};
  address_ = found[1];
  admin_ = found[2];
}

std::uint16_t server_process::port() const {
  return static_cast<std::uint16_t>(std::stoi(address_.substr(address_.rfind(':') + 1)));
}

finished_process server_process::cli(std::vector<std::string> arguments, const std::string& input) const {
  process_options options;
  options.arguments = {cli_program()};
  options.arguments.insert(options.arguments.end(), arguments.begin(), arguments.end());
  options.environment = {{"GROVE_SERVER", address_}};
  options.input = input;
  return run(options);
}

pid_t server_process::worker_pid(unsigned slot) const {
  const finished_process ps = cli({"ps", "--json"});
  const std::regex entry{"\"slot\":\\s*" + std::to_string(slot) + R"([^}]*?"pid":\s*(\d+))"};
  std::smatch found;
  if (!std::regex_search(ps.out, found, entry)) throw std::runtime_error{"no worker in: " + ps.out + ps.err};
  return std::stoi(found[1]);
}

finished_process server_process::stop() {
  process_->signal(SIGTERM);
  return process_->wait();
}

std::string http_get(const std::string& address, const std::string& path) {
  wire_client raw{address};
  raw.send_bytes("GET " + path + " HTTP/1.1\r\nHost: grove\r\nConnection: close\r\n\r\n");
  return raw.receive_until_closed();
}

std::string wait_for_page(const std::string& admin, const std::string& path, const std::string& text) {
  // Far more than anything takes, so that a slow machine does not fail.
  const auto give_up = time_after(std::chrono::steady_clock::now(), std::chrono::minutes{1});
  std::string page;
  do {
    try {
      page = http_get(admin, path);
    } catch (const std::runtime_error&) {
      page = "nobody there";
    }
    if (page.find(text) != std::string::npos) return page;
  } while (std::chrono::steady_clock::now() < give_up);
  ADD_FAILURE() << "no '" << text << "' in " << page;
  return page;
}

}  // namespace grove::test
