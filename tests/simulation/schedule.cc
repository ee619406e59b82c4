// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/schedule.h"

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <vector>

#include "tests/simulation/member_actor.h"
#include "tests/simulation/oracle.h"
#include "tests/simulation/simulated_client.h"
#include "tests/support/simulated_server.h"

namespace grove::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint32_t steps_of_trouble = 1'500;
/// By then every call has ended, whatever became of it: a second of its own, and the time that it takes to give up.
constexpr seconds quiet_within{15};
constexpr seconds drained_within{60};

/// Which faults a schedule has: not all at a time, so that each also meets an otherwise healthy server.
struct faults {
  std::uint32_t deaths = 0;  ///< In 10,000 steps, as the next ones.
  std::uint32_t pauses = 0;
  std::uint32_t failed_appends = 0;
  bool failed_starts = false;  ///< Of one slot: others get its partitions.
  bool late_store = false;
  bool small_rings = false;
  bool small_mailboxes = false;
  bool drains = false;  ///< At the end.
};

faults draw_faults(random_source& random) {
  const auto once_in = [&random](std::uint32_t n) { return random.below(n) == 0; };
  faults drawn;
  if (once_in(2)) drawn.deaths = 20;
  if (once_in(2)) drawn.pauses = 40;
  if (once_in(3)) drawn.failed_appends = 40;
  drawn.failed_starts = once_in(3);
  drawn.late_store = once_in(2);
  drawn.small_rings = once_in(2);
  drawn.small_mailboxes = once_in(2);
  drawn.drains = once_in(3);
  return drawn;
}

/// One schedule.
class schedule {
 public:
  schedule(std::uint64_t seed, bool prints_log)
      : random_{seed}, faults_{draw_faults(random_)}, server_{seed, options(prints_log)} {
    world_.server = &server_;
    server_.set_store_at_once(!faults_.late_store);
    const std::uint32_t clients = 1 + random_.below(3);
    for (std::uint32_t i = 0; i < clients; ++i)
      clients_.push_back(std::make_unique<simulated_client>(server_, judge_, last_id_));
  }

  [[nodiscard]] schedule_result run(std::uint64_t seed) {
    for (std::uint32_t step = 0; step < steps_of_trouble && !judge_.failed(); ++step)
      take_step();
    if (!judge_.failed()) calm_down();
    schedule_result result{.seed = seed, .deaths = server_.deaths()};
    for (const auto& each : clients_) {
      result.asked += each->asked();
      result.answered += each->answered();
      result.cut += each->cut();
    }
    result.told = judge_.told();
    result.tells_lost = tells_lost();
    for (std::uint32_t partition = 0; partition < server_.segment().partitions(); ++partition)
      result.moved += server_.segment().owner_of_partition(partition).epoch() > 1 ? 1 : 0;
    result.drained = server_.judge().is_stopping() ? 1 : 0;
    result.trace = judge_.trace();
    result.failure = judge_.failure();
    return result;
  }

 private:
  [[nodiscard]] simulation_options options(bool prints_log) {
    simulation_options made;
    made.workers = 1 + random_.below(4);
    made.ring_bytes = faults_.small_rings ? 16 * 1024 : 256 * 1024;
    made.limits.mailbox_messages_max = faults_.small_mailboxes ? 3 : 128;
    made.limits.output_buffer_bytes_max = random_.below(2) == 0 ? 4 * 1024 : 64 * 1024;
    made.limits.call_deadline = milliseconds{1'000};
    made.limits.idle_timeout = milliseconds{1'000};
    made.add_types = [this](actor_types& types) { types.add<MemberActor>(world_); };
    made.on_death = [this](int pid) { judge_.died(pid); };
    made.prints_log = prints_log;
    return made;
  }

  [[nodiscard]] bool happens(std::uint32_t in_ten_thousand) { return random_.below(10'000) < in_ten_thousand; }

  [[nodiscard]] simulated_process* any_process() {
    simulated_process* const drawn = server_.process(random_.below(server_.workers()));
    return drawn != nullptr && !drawn->dead() ? drawn : nullptr;
  }

  void take_step() {
    if (random_.below(4) == 0) {
      clients_[random_.below(static_cast<std::uint32_t>(clients_.size()))]->step(false);
    } else {
      server_.step([this](std::uint32_t slot) { return slot != paused_; });
    }
    if (happens(faults_.pauses)) paused_ = paused_ ? std::nullopt : std::optional{random_.below(server_.workers())};
    if (happens(faults_.deaths)) {
      if (auto* const process = any_process()) process->die_at_look(1 + random_.below(200));
    }
    if (happens(faults_.failed_appends)) {
      if (auto* const process = any_process()) process->store().fail_next();
    }
    if (faults_.failed_starts && happens(20)) fail_starts_of_one();
    check();
  }

  /// A worker dies and cannot be started again, or can be at last. Another one always serves.
  void fail_starts_of_one() {
    if (server_.workers() == 1) return;
    if (unstartable_) {
      server_.fail_starts(*std::exchange(unstartable_, std::nullopt), false);
      return;
    }
    unstartable_ = random_.below(server_.workers());
    server_.fail_starts(*unstartable_, true);
    if (auto* const process = server_.process(*unstartable_)) process->die_at_look(1);
    // Who waits for it for so long that its partitions change hands, and come back.
    if (random_.below(2) == 0) server_.pass(milliseconds{500 + random_.below(1'500)});
  }

  /// What has to hold after every step.
  void check() {
    for (std::uint32_t slot = 0; slot < server_.workers(); ++slot) {
      auto* const process = server_.process(slot);
      if (process == nullptr || process->dead() || process->self() == nullptr) continue;
      process->self()->check_invariants();
      if (process->self()->loop().asleep() && !process->has_work()) expect_nothing_unread(slot);
    }
  }

  /// Whoever writes to a worker that sleeps wakes it, unless it dies before.
  void expect_nothing_unread(std::uint32_t slot) {
    for (std::uint32_t from = 0; from < server_.workers(); ++from) {
      const auto* const writer = server_.process(from);
      if (from == slot || writer == nullptr || writer->dead()) continue;
      const ring_control& ring = server_.segment().ring(from, slot);
      if (ring.head.load() != ring.tail.load())
        judge_.fail("worker " + std::to_string(slot) + " sleeps over what worker " + std::to_string(from) +
                    " has sent");
    }
  }

  /// No more faults: all that was begun comes to its end, and nothing is left of it.
  void calm_down() {
    paused_.reset();
    if (unstartable_) server_.fail_starts(*unstartable_, false);
    for (std::uint32_t slot = 0; slot < server_.workers(); ++slot) {
      if (auto* const process = server_.process(slot)) process->die_at_look(0);
    }
    server_.complete_stores();
    if (faults_.drains) return drain();
    const steady_time until = time_after(server_.now(), quiet_within);
    while (server_.now() < until && !judge_.failed()) {
      if (random_.below(4) == 0) clients_[random_.below(static_cast<std::uint32_t>(clients_.size()))]->step(true);
      server_.step();
    }
    for (const auto& each : clients_) {
      if (!each->is_done()) judge_.fail("a client still waits when all is over");
    }
    std::uint64_t not_up = 0;
    for (std::uint32_t slot = 0; slot < server_.workers(); ++slot) {
      auto* const process = server_.process(slot);
      if (process == nullptr || process->self() == nullptr) {
        ++not_up;
        continue;
      }
      expect_nothing_left(*process);
    }
    if (not_up > 0) judge_.fail("a worker is not back when all is over");
    if (server_.deaths() == 0) expect_all_tells();
  }

  /// What was begun is ended, what was not is refused, and all leave.
  void drain() {
    server_.judge().on_signal(SIGTERM);
    for (const auto& each : clients_)
      each->expect_drain();
    const steady_time until = time_after(server_.now(), drained_within);
    const auto is_over = [this] {
      return server_.judge().exit_code() &&
             std::ranges::all_of(clients_, [](const auto& each) { return each->is_done(); });
    };
    while (!is_over() && server_.now() < until && !judge_.failed()) {
      if (random_.below(4) == 0) clients_[random_.below(static_cast<std::uint32_t>(clients_.size()))]->step(true);
      server_.step();
    }
    if (judge_.failed()) return;
    if (!server_.judge().exit_code()) return judge_.fail("the server has not drained");
    if (server_.judge().exit_code() != 0) judge_.fail("the server has drained with another exit code than 0");
    if (server_.judge().workers().cut_drains() > 0) judge_.fail("a drain was cut");
    if (server_.deaths() == 0) expect_all_tells();
  }

  void expect_nothing_left(simulated_process& process) {
    worker& self = *process.self();
    const std::string who = "worker " + std::to_string(process.slot());
    if (!self.actors().idle()) {
      judge_.fail(who + " has " + std::to_string(self.actors().messages().in_use()) + " messages, " +
                  std::to_string(self.actors().turns_running()) + " turns and " + std::to_string(self.actors().held()) +
                  " held effects when all is over");
    }
    if (self.net().calls_out() != 0) judge_.fail(who + " waits for another one when all is over");
    if (self.front().unfinished_calls() != 0) judge_.fail(who + " has unfinished calls when all is over");
  }

  [[nodiscard]] std::uint64_t tells_lost() const {
    std::uint64_t lost = 0;
    for (std::uint32_t slot = 0; slot < server_.workers(); ++slot)
      lost += server_.segment().slot(slot).metrics[metric::tells_lost].get();
    return lost;
  }

  void expect_all_tells() {
    // A turn that returned and whose change the store did not take has told nothing.
    if (server_.failed_appends() > 0) return;
    const std::uint64_t known = judge_.handled_tells() + tells_lost();
    if (known < judge_.told()) {
      judge_.fail(std::to_string(judge_.told() - known) + " of " + std::to_string(judge_.told()) +
                  " tells were neither handled nor counted as lost");
    }
  }

  random_source random_;
  faults faults_;
  oracle judge_;
  simulated_world world_{judge_};
  std::uint64_t last_id_ = 0;
  simulated_server server_;
  std::vector<std::unique_ptr<simulated_client>> clients_;
  std::optional<std::uint32_t> paused_;
  std::optional<std::uint32_t> unstartable_;
};

}  // namespace

schedule_result run_schedule(std::uint64_t seed, bool prints_log) {
  return std::make_unique<schedule>(seed, prints_log)->run(seed);
}

}  // namespace grove::test
