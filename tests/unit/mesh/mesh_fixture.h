// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "worker/mesh/mesh.h"

namespace grove {

/// Whoever calls: remembers what it is told.
class fake_caller final : public reply_sink {
 public:
  struct ended {
    std::uint64_t id;
    status_code code;
    outcome result;
    std::string text;
    std::string payload;
  };

  void finish(message& call, const reply& end) override {
    ends.push_back({call.origin_id, end.code, end.result, std::string{end.text}, bytes_of(end.payload)});
  }
  void item(message& call, const payload_source& payload) override {
    items.push_back(bytes_of(payload));
    if (lets_go) call.origin = nullptr;
    backlog += items_wait ? payload.size() : 0;
  }
  [[nodiscard]] std::size_t backlog_bytes(const message&) const override { return backlog; }

  std::vector<ended> ends;
  std::vector<std::string> items;
  bool lets_go = false;     ///< Whether an item ends the call here.
  bool items_wait = false;  ///< Whether items add to the backlog.
  std::size_t backlog = 0;

 private:
  static std::string bytes_of(const payload_source& payload) {
    std::string bytes(payload.size(), '\0');
    payload.write(bytes.data());
    return bytes;
  }
};

/// In a runtime's place: keeps what is delivered until the test answers it.
class fake_runtime final : public message_receiver {
 public:
  void deliver(message_ptr call) override {
    calls.push_back(std::move(call));
    if (answer_all) answer(calls.size() - 1, std::string{calls.back()->payload()});
  }
  void refuse(message_ptr call, const status& why) override {
    if (call->origin == nullptr) {
      lost_tells.push_back(why.message());
      return;
    }
    call->origin->finish(*call, {why.code(), outcome::not_executed, why.message(), {}});
  }
  void cancel(message& call) override {
    call.cancelled = true;
    ++cancels;
  }

  /// Ends a call OK and frees it.
  void answer(std::size_t index, const std::string& payload) {
    message_ptr call = take(index);
    if (call->origin == nullptr) return;
    call->origin->finish(*call, {status_code::ok, outcome::executed, {}, payload_source{payload}});
  }

  message_ptr take(std::size_t index) {
    message_ptr call = std::move(calls.at(index));
    calls.erase(calls.begin() + static_cast<std::ptrdiff_t>(index));
    return call;
  }

  std::vector<message_ptr> calls;
  std::vector<std::string> lost_tells;  ///< Why, of each.
  int cancels = 0;
  bool answer_all = false;
};

inline std::unique_ptr<actor_types> make_types() {
  auto types = std::make_unique<actor_types>();
  for (const char* name : {"test.Echo", "test.Counter"}) {
    actor_type_definition definition;
    definition.name = name;
    definition.methods = {{.name = "First"}, {.name = "Second"}};
    types->add_definition(std::move(definition));
  }
  return types;
}

/// What belongs to one worker.
struct fake_worker {
  fake_worker(const shared_segment& segment, std::uint32_t slot, const actor_types& its_types, worker_wakes& wakes,
              spdlog::logger& log)
      : types{its_types},
        net{std::make_unique<mesh>(mesh_options{segment, slot, wakes, types, messages, runtime, log, time})} {}

  /// Calls are made with ids of the test's choice.
  message_ptr make(std::uint64_t id, const std::string& payload = "payload") {
    message_ptr call = messages.make("key", payload, "a chain", "metadata");
    call->type = types.at(1);
    call->method = 1;
    call->depth = 2;
    call->hash = 99;
    call->deadline = time_after(time.now(), std::chrono::seconds{3});
    call->origin = &caller;
    call->origin_id = id;
    return call;
  }

  const actor_types& types;
  manual_clock time;
  message_pool messages;
  fake_caller caller;
  fake_runtime runtime;
  std::unique_ptr<mesh> net;
};

/// Several workers over one segment, in one process; none runs by itself.
class mesh_fixture : public testing::Test {
 protected:
  explicit mesh_fixture(std::uint32_t workers = 2, std::uint64_t ring_bytes = 64 * 1024)
      : segment_{shared_segment::create({.workers = workers, .ring_bytes = ring_bytes})}, wake_fds_(workers) {
    std::vector<int> by_slot;
    for (unique_fd& each : wake_fds_) {
      each = unique_fd{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
      by_slot.push_back(each.get());
    }
    wakes_.emplace(by_slot);
    for (std::uint32_t i = 0; i < workers; ++i)
      segment_.set_state(i, worker_state::starting);
    for (std::uint32_t i = 0; i < workers; ++i) {
      workers_.push_back(make_worker(i));
      segment_.set_state(i, worker_state::up);
    }
    run();
  }

  std::unique_ptr<fake_worker> make_worker(std::uint32_t slot) {
    return std::make_unique<fake_worker>(segment_, slot, *types_, *wakes_, log_);
  }

  /// What a supervisor does when a worker has died.
  void kill(std::uint32_t slot) {
    workers_[slot].reset();
    segment_.set_state(slot, worker_state::down);
  }
  /// What it does to replace it.
  void start(std::uint32_t slot) {
    segment_.set_state(slot, worker_state::starting);
    workers_[slot] = make_worker(slot);
    segment_.set_state(slot, worker_state::up);
  }

  /// Polls all living workers until none has anything to do.
  void run() {
    for (bool active = true; active;) {
      active = false;
      for (const auto& w : workers_) {
        if (w && w->net->poll()) active = true;
        if (w) w->net->check_invariants();
      }
    }
  }

  /// A worker's loop, for a thread of its own: takes `step` before each pass until that is false, and sleeps in poll(2)
  /// whenever the mesh agrees. False: it has slept for 20 s.
  template <class Step>
  bool loop(std::uint32_t slot, const Step& step) {
    mesh& net = *at(slot).net;
    while (step()) {
      if (net.poll()) continue;
      if (net.prepare_sleep()) {
        pollfd waited{wakes_->descriptor(slot), POLLIN, 0};
        if (::poll(&waited, 1, 20'000) == 0) return false;
        wakes_->clear(slot);
      }
      net.woke();
    }
    return true;
  }

  [[nodiscard]] fake_worker& at(std::size_t slot) { return *workers_.at(slot); }
  [[nodiscard]] std::uint64_t count(std::uint32_t slot, metric which) const {
    return segment_.slot(slot).metrics[which].get();
  }
  [[nodiscard]] bool is_woken(std::uint32_t slot) const {
    std::uint64_t count = 0;
    return ::read(wakes_->descriptor(slot), &count, sizeof count) == sizeof count;
  }

  std::ostringstream logged_;
  spdlog::logger log_{"test", std::make_shared<spdlog::sinks::ostream_sink_st>(logged_)};
  shared_segment segment_;
  std::unique_ptr<actor_types> types_ = make_types();
  std::vector<unique_fd> wake_fds_;
  std::optional<wake_descriptors> wakes_;
  std::vector<std::unique_ptr<fake_worker>> workers_;
};

}  // namespace grove
