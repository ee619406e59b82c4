// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "base/exit_codes.h"
#include "base/version.h"
#include "grove/v1/control.pb.h"
#include "server/supervisor.h"

namespace grove::server {

using namespace std::chrono_literals;

/// Writes down what the supervisor does and does nothing.
class recording_host final : public worker_host {
 public:
  explicit recording_host(std::uint32_t workers) : sent(workers) {}

  spawn_result start(std::uint32_t slot) override {
    if (!spawn_error.empty()) return {0, spawn_error};
    done.push_back("start " + std::to_string(slot));
    return {next_pid++, {}};
  }
  bool send(std::uint32_t slot, const v1::ControlMessage& message) override {
    if (!reachable) return false;
    const char* const what = message.has_start() ? "greet " : message.has_quit() ? "quit " : "drain ";
    done.push_back(what + std::to_string(slot));
    sent[slot] = message;
    return true;
  }
  void signal(std::uint32_t slot, int signal) override {
    done.push_back(signal_name(signal) + " " + std::to_string(slot));
  }
  void stop_listening() override { listening = false; }
  void poke_all() override { ++pokes; }

  /// What has been done since the last call.
  std::vector<std::string> take() { return std::exchange(done, {}); }

  std::vector<std::string> done;
  std::vector<v1::ControlMessage> sent;
  int next_pid = 100;
  int pokes = 0;
  bool listening = true;
  bool reachable = true;
  std::string spawn_error;
};

/// A supervisor whose time, processes and log belong to the test.
class supervisor_fixture : public testing::Test {
 protected:
  explicit supervisor_fixture(std::uint32_t workers = 2)
      : segment{shared_segment::create({.workers = workers})},
        host{workers},
        judge{{config, cpus, segment, host, time, random, make_log(), "127.0.0.1:7400", "127.0.0.1:7401"}} {}

  void say_hello(std::uint32_t slot, std::string_view of_version = version) {
    v1::ControlMessage message;
    message.mutable_hello()->set_pid(judge.workers()[slot].pid);
    message.mutable_hello()->set_version(std::string{of_version});
    judge.on_message(slot, message);
  }
  void say_ready(std::uint32_t slot) {
    v1::ControlMessage message;
    message.mutable_ready()->set_actor_types(5);
    judge.on_message(slot, message);
  }
  void become_ready(std::uint32_t slot) {
    say_hello(slot);
    say_ready(slot);
  }
  void say_drained(std::uint32_t slot, std::uint64_t unfinished = 0, bool cut = false) {
    v1::ControlMessage message;
    message.mutable_drained()->set_unfinished_messages(unfinished);
    message.mutable_drained()->set_cut(cut);
    judge.on_message(slot, message);
  }
  void begin_and_serve() {
    judge.begin();
    for (std::uint32_t slot = 0; slot < segment.workers(); ++slot)
      become_ready(slot);
    (void)host.take();
  }

  /// Time passes, in steps as short as a real loop's; the workers' hearts beat, but for `still`.
  void pass(steady_duration duration, std::optional<std::uint32_t> still = {}) {
    const steady_time end = time_after(time.now(), duration);
    while (time.now() < end) {
      const steady_time next = std::min(end, std::max(judge.next_wake(), time_after(time.now(), 1ms)));
      time.advance(next - time.now());
      for (std::uint32_t slot = 0; slot < segment.workers(); ++slot) {
        if (slot != still) ++segment.slot(slot).heartbeat;
      }
      judge.tick();
    }
  }

  [[nodiscard]] worker_state state(std::uint32_t slot) const { return segment.slot(slot).state.load(); }
  [[nodiscard]] std::string logged() const { return text.str(); }

  server_config config;
  cpu_budget cpus{{0, 1, 2, 3}, std::nullopt};
  manual_clock time;
  random_source random{42};
  std::ostringstream text;
  shared_segment segment;
  recording_host host;
  supervisor judge;

 private:
  std::shared_ptr<spdlog::logger> make_log() {
    auto log = std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_st>(text));
    log->set_pattern("%l %v");
    return log;
  }
};

}  // namespace grove::server
