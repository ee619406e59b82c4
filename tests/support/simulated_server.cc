// SPDX-License-Identifier: Apache-2.0
#include "tests/support/simulated_server.h"

#include <fcntl.h>
#include <signal.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/exit_codes.h"
#include "base/version.h"
#include "worker/hub/hub_scope.h"

namespace grove::test {
namespace {

/// What time passes in at most while there is something to do.
constexpr std::uint32_t short_pause_us = 2'000;

std::shared_ptr<spdlog::logger> make_log(bool prints) {
  spdlog::sink_ptr sink;
  if (prints) {
    sink = std::make_shared<spdlog::sinks::stdout_sink_st>();
  } else {
    sink = std::make_shared<spdlog::sinks::null_sink_st>();
  }
  auto log = std::make_shared<spdlog::logger>("simulation", std::move(sink));
  log->set_level(prints ? spdlog::level::debug : spdlog::level::off);
  return log;
}

/// Every look of the supervisor and every second of a loop counts as steps: what bounds them all.
constexpr std::uint64_t steps_max = 10'000'000;

}  // namespace

// ---- a process

simulated_process::simulated_process(simulated_server& around, std::uint32_t slot, int pid)
    : around_{around},
      slot_{slot},
      pid_{pid},
      segment_{shared_segment::open(unique_fd{::fcntl(around.segment_.fd(), F_DUPFD_CLOEXEC, 0)})},
      store_{around.disk_} {
  store_.set_at_once(around.store_at_once_);
}

simulated_process::~simulated_process() {
  if (self_ == nullptr) return;
  if (!dead()) die(server::exit_status::signalled(SIGKILL));
  around_.failed_appends_ += store_.failed();
  around_.in_process(*this, [this] { self_.reset(); });
}

steady_time simulated_process::mortal_clock::now() const noexcept {
  if (dies_in > 0 && --dies_in == 0 && !self.dead()) self.die(server::exit_status::signalled(SIGSEGV));
  return self.around_.time_.now();
}

void simulated_process::die(const server::exit_status& how) {
  death_ = how;
  segment_.cut_off();
  store_.die();
  for (const auto& each : peers_) {
    if (const auto peer = each.lock()) peer->lose_server();
  }
  if (around_.options_.on_death) around_.options_.on_death(pid_);
}

void simulated_process::send(const v1::ControlMessage& message) noexcept {
  if (!dead()) outbox.push_back(message);
}

void simulated_process::wake(std::uint32_t slot) noexcept {
  if (!dead()) around_.wake(slot);
}

std::shared_ptr<memory_peer> simulated_process::connect() {
  auto peer = std::make_shared<memory_peer>(self_->loop());
  const hub_scope own{self_->loop()};
  self_->front().adopt(peer->server_end(), around_.frames());
  peers_.push_back(peer);
  woken_ = true;
  return peer;
}

bool simulated_process::has_work() const {
  if (dead()) return false;
  if (!said_hello_ || !inbox_.empty()) return true;
  if (self_ == nullptr) return false;
  return !self_->loop().asleep() || woken_ || self_->loop().has_work();
}

std::optional<steady_time> simulated_process::next_timer() const {
  if (dead() || self_ == nullptr) return std::nullopt;
  return self_->loop().next_timer();
}

void simulated_process::step() {
  if (!said_hello_) {
    said_hello_ = true;
    v1::ControlMessage hello;
    hello.mutable_hello()->set_pid(pid_);
    hello.mutable_hello()->set_version(std::string{version});
    send(hello);
    return;
  }
  if (!inbox_.empty()) {
    const v1::ControlMessage message = std::move(inbox_.front());
    inbox_.pop_front();
    if (message.has_start()) return begin(message.start());
    if (self_ == nullptr) return;
    const hub_scope own{self_->loop()};
    woken_ = true;
    return self_->on_control(message);
  }
  hub& loop = self_->loop();
  if (loop.asleep()) loop.wake_up();
  woken_ = false;
  if (!loop.poll() && !dead() && loop.fall_asleep()) return;
  if (!dead() && self_->exit_code()) die(server::exit_status::exited(*self_->exit_code()));
}

void simulated_process::begin(const v1::WorkerStart& start) {
  if (around_.fails_to_start_[slot_]) return die(server::exit_status::exited(exit_codes::internal_failure));
  const worker_start told{.slot = slot_,
                          .generation = start.generation(),
                          .workers = start.workers(),
                          .limits = around_.options_.limits,
                          .stall_after = {},
                          .backdoor = {}};
  self_ = std::make_unique<worker>(told, worker_world{.time = time_,
                                                      .segment = segment_,
                                                      .store = store_,
                                                      .wakes = static_cast<worker_wakes&>(*this),
                                                      .border = static_cast<worker_border&>(*this),
                                                      .log = *around_.log_,
                                                      .add_types = around_.options_.add_types,
                                                      .loop = {.shares_thread = true}});
  self_->begin();
}

// ---- the server

simulated_server::simulated_server(std::uint64_t seed, simulation_options options)
    : options_{std::move(options)},
      random_{seed},
      restarts_{seed + 1},
      cpus_{{0, 1, 2, 3, 4, 5, 6, 7}, std::nullopt},
      log_{make_log(options_.prints_log)},
      segment_{shared_segment::create({.workers = options_.workers, .ring_bytes = options_.ring_bytes})},
      processes_(options_.workers),
      fails_to_start_(options_.workers),
      judge_{{config_, cpus_, segment_, static_cast<server::worker_host&>(*this), time_, restarts_, log_,
              "127.0.0.1:7400", "off"}} {
  judge_.begin();
}

simulated_server::~simulated_server() = default;

server::spawn_result simulated_server::start(std::uint32_t slot) {
  processes_[slot] = std::make_unique<simulated_process>(*this, slot, ++last_pid_);
  return {last_pid_, {}};
}

bool simulated_server::send(std::uint32_t slot, const v1::ControlMessage& message) {
  if (processes_[slot] == nullptr || processes_[slot]->dead()) return false;
  processes_[slot]->receive(message);
  return true;
}

void simulated_server::signal(std::uint32_t slot, int signal) {
  if (processes_[slot] != nullptr && !processes_[slot]->dead())
    processes_[slot]->die(server::exit_status::signalled(signal));
}

void simulated_server::poke_all() {
  for (std::uint32_t slot = 0; slot < workers(); ++slot)
    wake(slot);
}

void simulated_server::wake(std::uint32_t slot) noexcept {
  if (processes_[slot] != nullptr) processes_[slot]->wake_from_outside();
}

std::shared_ptr<memory_peer> simulated_server::connect() {
  std::vector<simulated_process*> accepting;
  for (const auto& each : processes_) {
    if (each != nullptr && each->listens() && listening_) accepting.push_back(each.get());
  }
  if (accepting.empty()) return nullptr;
  return accepting[random_.below(static_cast<std::uint32_t>(accepting.size()))]->connect();
}

void simulated_server::complete_stores() {
  store_at_once_ = true;
  for (const auto& each : processes_) {
    if (each == nullptr) continue;
    complete_some(*each, std::numeric_limits<std::size_t>::max());
    each->store().set_at_once(true);
  }
}

void simulated_server::complete_some(simulated_process& process, std::size_t changes) {
  if (process.self() == nullptr) return;
  in_process(process, [&] {
    const hub_scope own{process.self()->loop()};
    process.store().complete(changes);
  });
  process.wake_from_outside();
}

std::uint64_t simulated_server::failed_appends() const {
  std::uint64_t failed = failed_appends_;
  for (const auto& each : processes_) {
    if (each != nullptr) failed += each->store().failed();
  }
  return failed;
}

bool simulated_server::supervisor_has_work() const {
  if (judge_.exit_code()) return false;
  if (judge_.next_wake() <= time_.now()) return true;
  return std::ranges::any_of(
      processes_, [](const auto& each) { return each != nullptr && (each->dead() || !each->outbox.empty()); });
}

void simulated_server::step_supervisor() {
  if (judge_.next_wake() <= time_.now()) judge_.tick();
  for (std::uint32_t slot = 0; slot < workers(); ++slot) {
    simulated_process* const from = processes_[slot].get();
    if (from == nullptr) continue;
    if (!from->outbox.empty()) {
      const v1::ControlMessage message = std::move(from->outbox.front());
      from->outbox.pop_front();
      judge_.on_message(slot, message);
    } else if (from->dead()) {
      const server::exit_status how = *from->death();
      if (!judge_.is_stopping()) ++deaths_;
      processes_[slot].reset();
      judge_.on_exit(slot, how);
    }
  }
}

void simulated_server::in_process(simulated_process& process, const std::function<void()>& what) {
  simulated_process* const before = std::exchange(running_, &process);
  what();
  running_ = before;
}

void simulated_server::step(const std::function<bool(std::uint32_t)>& may_step) {
  std::vector<simulated_process*> ready;
  std::vector<simulated_process*> storing;
  for (const auto& each : processes_) {
    if (each == nullptr || each->dead() || (may_step && !may_step(each->slot()))) continue;
    if (each->has_work()) ready.push_back(each.get());
    if (each->self() != nullptr && each->store().incomplete() > 0) storing.push_back(each.get());
  }
  const auto any_of = [this](auto& from) { return from[random_.below(static_cast<std::uint32_t>(from.size()))]; };
  const std::uint32_t chosen = random_.below(100);
  if (chosen < 10 && supervisor_has_work()) return step_supervisor();
  if (chosen < 20 && !storing.empty()) {
    simulated_process& owner = *any_of(storing);
    return complete_some(owner, 1 + random_.below(static_cast<std::uint32_t>(owner.store().incomplete())));
  }
  if (chosen < 25) return pass(std::chrono::microseconds{random_.below(short_pause_us)});
  if (!ready.empty()) {
    simulated_process& chosen_one = *any_of(ready);
    return in_process(chosen_one, [&chosen_one] { chosen_one.step(); });
  }
  if (supervisor_has_work()) return step_supervisor();
  advance_to_next();
}

void simulated_server::advance_to_next() {
  steady_time next = judge_.exit_code() ? steady_time::max() : judge_.next_wake();
  for (const auto& each : processes_) {
    if (each == nullptr) continue;
    if (const auto timer = each->next_timer()) next = std::min(next, *timer);
  }
  if (next == steady_time::max()) next = time_after(time_.now(), std::chrono::milliseconds{100});
  if (next > time_.now()) time_.advance(next - time_.now());
}

void simulated_server::run_until(steady_time until) {
  for (std::uint64_t steps = 0; time_.now() < until && steps < steps_max; ++steps)
    step();
}

}  // namespace grove::test
