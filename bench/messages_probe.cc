// SPDX-License-Identifier: Apache-2.0

// One pattern of messages between actors of one worker, for bench_messages to set beside those of other systems:
//
//   messages_probe PATTERN MESSAGES   messages a second, of about so many
//
//   calls     one actor calls another one and waits for the answer: a call is one message here
//   tells     one actor tells another one, as many at a time as a mailbox takes
//   fan_out   one actor tells a thousand, one message each, again and again
//   fan_in    a thousand actors tell one, eight messages each, sixteen of them at a time
//   ring      a thousand actors pass a message round
//   big       two hundred actors call one another at random, and answer meanwhile
//
// Hub, runtime, mesh, store and recorder are those of a worker. All messages carry a number that is really used, and a run
// in which one of them is not handled fails.

#include <sys/eventfd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/process/limits.h"
#include "base/process/shared_segment.h"
#include "base/status.h"
#include "bench.actor.h"
#include "worker/actor/runtime.h"
#include "worker/greenlet/greenlet.h"
#include "worker/hub/hub.h"
#include "worker/main/shared_recorder.h"
#include "worker/mesh/mesh.h"
#include "worker/mesh/shared_placement.h"
#include "worker/store/memory_store.h"
#include "worker/tasks/event.h"
#include "worker/tasks/task.h"

namespace {

// A turn has the time of the message that began it, 30 s: after that, none is left that could notice the end.
constexpr std::chrono::minutes patience{1};

[[noreturn]] void fail(std::string_view why) {
  std::fprintf(stderr, "messages_probe: %.*s\n", static_cast<int>(why.size()), why.data());
  std::_Exit(1);
}

/// What actors have to know of the pattern that they are part of.
struct work {
  /// For the end to be noticed in the actor that brings it about.
  explicit work(grove::hub& on) : finished{on} {}

  std::size_t nodes = 0;
  std::vector<bench::Partner::Ref> partners;
  std::int64_t running = 0;  ///< Partners, or callers, that are not done.
  void one_is_done() {
    if (--running == 0) finished.set();
  }

  // Of senders and receivers.
  std::size_t senders = 0;
  std::size_t receivers = 0;
  std::int64_t burst = 0;         ///< Messages that a sender tells each receiver in a turn.
  std::int64_t bursts = 0;        ///< Of all senders.
  std::int64_t bursts_begun = 0;  ///< Those that are asked for at the start, and are under way at a time.

  grove::event finished;
};

bench::Number number(std::int64_t value) {
  bench::Number made;
  made.set_value(value);
  return made;
}

void count(bench::Tally& in, std::int64_t value) {
  in.set_count(in.count() + 1);
  in.set_sum(in.sum() + value);
}

template <class Ref>
void ask(const Ref& answerer, std::int64_t question) try {
  if (answerer.Ask(number(question)).value() != question + 1) fail("a call has a wrong answer");
} catch (const grove::status_error& e) {
  fail(e.what());
}

/// How partners draw whom they call. The sequences of seeds that follow one another are much alike, so that nearly all
/// would call the same one at the same time; those of cubes are not.
std::minstd_rand random_of(std::size_t partner) {
  const std::size_t seed = partner + 1;
  return std::minstd_rand{static_cast<std::minstd_rand::result_type>(seed * seed * seed)};
}

// ---- calls ----

class CallerActor final : public bench::Caller::Actor {
 public:
  explicit CallerActor(work& of) : work_{of} {}

  bench::Nothing Run(const bench::Number& calls) override {
    const auto answerer = ref<bench::Answerer>("0");
    for (std::int64_t i = 0; i < calls.value(); ++i)
      ask(answerer, i);
    work_.one_is_done();
    return {};
  }

 private:
  work& work_;
};

class AnswererActor final : public bench::Answerer::Actor {
 public:
  bench::Number Ask(const bench::Number& question) override {
    count(counted_, question.value());
    return number(question.value() + 1);
  }
  bench::Tally Counted(const bench::Nothing&) const override { return counted_; }

 private:
  bench::Tally counted_;
};

// ---- tells, fan_out, fan_in ----

class SenderActor final : public bench::Sender::Actor {
 public:
  explicit SenderActor(work& of) : work_{of} {}

  bench::Nothing Go(const bench::Nothing&) override {
    for (std::int64_t i = 0; i < work_.burst; ++i) {
      for (const auto& receiver : receivers_) {
        const std::int64_t value = counted_.count();
        receiver.tell_Take(number(value));
        count(counted_, value);
      }
    }
    return {};
  }
  bench::Tally Counted(const bench::Nothing&) const override { return counted_; }

 protected:
  void on_activate() override {
    for (std::size_t i = 0; i < work_.receivers; ++i)
      receivers_.push_back(ref<bench::Receiver>(std::to_string(i)));
  }

 private:
  work& work_;
  std::vector<bench::Receiver::Ref> receivers_;
  bench::Tally counted_;
};

class ReceiverActor final : public bench::Receiver::Actor {
 public:
  explicit ReceiverActor(work& of) : work_{of} {}

  bench::Nothing Take(const bench::Number& taken) override {
    count(counted_, taken.value());
    if (is_last_ && counted_.count() % work_.burst == 0) end_burst();
    return {};
  }
  bench::Tally Counted(const bench::Nothing&) const override { return counted_; }

 protected:
  void on_activate() override {
    is_last_ = key() == std::to_string(work_.receivers - 1);
    if (!is_last_) return;
    for (std::size_t i = 0; i < work_.senders; ++i)
      senders_.push_back(ref<bench::Sender>(std::to_string(i)));
  }

 private:
  /// The next sender has its turn, so that as many are under way as before.
  void end_burst() {
    if (work_.bursts_begun < work_.bursts) {
      senders_[static_cast<std::size_t>(work_.bursts_begun++) % senders_.size()].tell_Go({});
    }
    if (counted_.count() == work_.bursts * work_.burst) work_.finished.set();
  }

  work& work_;
  std::vector<bench::Sender::Ref> senders_;
  bench::Tally counted_;
  bool is_last_ = false;
};

// ---- ring ----

class NodeActor final : public bench::Node::Actor {
 public:
  explicit NodeActor(work& of) : work_{of} {}

  bench::Nothing Pass(const bench::Number& left) override {
    count(counted_, left.value());
    if (left.value() > 0) {
      next_->tell_Pass(number(left.value() - 1));
    } else {
      work_.finished.set();
    }
    return {};
  }
  bench::Tally Counted(const bench::Nothing&) const override { return counted_; }

 protected:
  void on_activate() override {
    next_ = ref<bench::Node>(std::to_string((std::stoul(std::string{key()}) + 1) % work_.nodes));
  }

 private:
  work& work_;
  std::optional<bench::Node::Ref> next_;
  bench::Tally counted_;
};

// ---- big ----

class PartnerActor final : public bench::Partner::Actor {
 public:
  explicit PartnerActor(work& of) : work_{of} {}

  bench::Nothing Run(const bench::Number& calls) override {
    const std::size_t self = std::stoul(std::string{key()});
    auto random = random_of(self);
    for (std::int64_t i = 0; i < calls.value(); ++i) {
      const std::size_t drawn = random() % (work_.partners.size() - 1);
      ask(work_.partners[drawn < self ? drawn : drawn + 1], i);
    }
    work_.one_is_done();
    return {};
  }
  bench::Number Ask(const bench::Number& question) override {
    count(counted_, question.value());
    return number(question.value() + 1);
  }
  bench::Tally Counted(const bench::Nothing&) const override { return counted_; }

 private:
  work& work_;
  bench::Tally counted_;
};

// ---- the worker ----

/// What a worker has between its hub and its actors.
class one_worker final : private grove::hub_component {
 public:
  one_worker() {
    types_.add<CallerActor>(pattern_);
    types_.add<AnswererActor>();
    types_.add<SenderActor>(pattern_);
    types_.add<ReceiverActor>(pattern_);
    types_.add<NodeActor>(pattern_);
    types_.add<PartnerActor>(pattern_);
    recorder_.write_names(types_);
    grove::thread_stacks().set_count_max(limits_.stacks_max);
    hub_.attach(*this);
    actors_.emplace(hub_, types_, store_, recorder_, limits_);
    mesh_.emplace(grove::mesh_options{.segment = segment_,
                                      .slot = 0,
                                      .wakes = wakes_,
                                      .types = types_,
                                      .messages = actors_->messages(),
                                      .receiver = *actors_,
                                      .log = *log_.logger,
                                      .time = clock_});
    hub_.attach(*mesh_);
    actors_->connect(*mesh_, placement_, 0);
  }
  ~one_worker() {
    hub_.detach(*this);
    hub_.detach(*mesh_);
    mesh_->close();
    actors_.reset();
  }

  /// Runs `body` in a greenlet, and actors, until it has ended.
  template <class Body>
  void run(Body body) {
    grove::spawn_on(hub_, [&] {
      try {
        body();
      } catch (const std::exception& e) {
        fail(e.what());
      }
      hub_.stop();
    });
    hub_.run();
  }

  template <class Service>
  typename Service::Ref ref(std::size_t key) {
    return {*actors_, std::to_string(key)};
  }

  /// What all actors with keys below `keys` have counted.
  template <class Service>
  bench::Tally counted(std::size_t keys) {
    bench::Tally total;
    for (std::size_t i = 0; i < keys; ++i) {
      const bench::Tally one = ref<Service>(i).Counted({});
      total.set_count(total.count() + one.count());
      total.set_sum(total.sum() + one.sum());
    }
    return total;
  }

  /// Messages a second from `begin` to the end that an actor notices.
  template <class Begin>
  double rate(std::int64_t messages, Begin begin) {
    const auto begun = hub_.now();
    begin();
    if (!pattern_.finished.wait_until(grove::time_after(begun, patience)))
      fail("not every message was handled in time");
    return static_cast<double>(messages) / std::chrono::duration<double>(hub_.now() - begun).count();
  }

  [[nodiscard]] work& pattern() noexcept { return pattern_; }

 private:
  // A worker's heartbeat.
  bool poll() override {
    auto& heartbeat = segment_.slot(0).heartbeat;
    heartbeat.store(heartbeat.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    return false;
  }
  bool prepare_sleep() override { return true; }
  void woke() override {}

  const grove::system_clock clock_;
  grove::hub hub_{clock_};
  work pattern_{hub_};
  const grove::limits limits_;
  const grove::process_log log_ = grove::make_log("messages_probe", "warning");
  const grove::shared_segment segment_ = grove::shared_segment::create({});
  const grove::unique_fd wake_fd_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  grove::wake_descriptors wakes_{{wake_fd_.get()}};
  grove::actor_types types_;
  grove::memory_store store_;
  grove::shared_recorder recorder_{segment_.slot(0), hub_, *log_.logger};
  std::optional<grove::runtime> actors_;
  const grove::shared_placement placement_{segment_};
  std::optional<grove::mesh> mesh_;
};

void expect(std::int64_t found, std::int64_t wanted, std::string_view what) {
  if (found == wanted) return;
  fail(std::string{what}.append(": ") + std::to_string(found) + " instead of " + std::to_string(wanted));
}

// ---- patterns: each returns messages a second, of about so many ----

double calls(one_worker& in, std::int64_t messages) {
  in.pattern().running = 1;
  (void)in.counted<bench::Answerer>(1);
  const double found = in.rate(messages, [&] { in.ref<bench::Caller>(0).tell_Run(number(messages)); });
  expect(in.counted<bench::Answerer>(1).count(), messages, "calls that were handled");
  return found;
}

double bursts(one_worker& in, std::int64_t messages) {
  work& of = in.pattern();
  (void)in.counted<bench::Sender>(of.senders);
  (void)in.counted<bench::Receiver>(of.receivers);
  const std::int64_t in_a_burst = of.burst * static_cast<std::int64_t>(of.receivers);
  of.bursts = std::max(messages / in_a_burst, of.bursts_begun);
  const double found = in.rate(of.bursts * in_a_burst, [&] {
    for (std::int64_t i = 0; i < of.bursts_begun; ++i)
      in.ref<bench::Sender>(static_cast<std::size_t>(i)).tell_Go({});
  });
  const bench::Tally sent = in.counted<bench::Sender>(of.senders);
  const bench::Tally taken = in.counted<bench::Receiver>(of.receivers);
  expect(sent.count(), of.bursts * in_a_burst, "tells that were sent");
  expect(taken.count(), sent.count(), "tells that were handled");
  expect(taken.sum(), sent.sum(), "the sum of their numbers");
  return found;
}

double tells(one_worker& in, std::int64_t messages) {
  in.pattern().senders = in.pattern().receivers = 1;
  in.pattern().burst = grove::limits{}.mailbox_messages_max;
  in.pattern().bursts_begun = 1;
  return bursts(in, messages);
}

double fan_out(one_worker& in, std::int64_t messages) {
  in.pattern().senders = 1;
  in.pattern().receivers = 1000;
  in.pattern().burst = 1;
  in.pattern().bursts_begun = 1;
  return bursts(in, messages);
}

double fan_in(one_worker& in, std::int64_t messages) {
  in.pattern().senders = 1000;
  in.pattern().receivers = 1;
  in.pattern().burst = 8;
  in.pattern().bursts_begun = grove::limits{}.mailbox_messages_max / in.pattern().burst;
  return bursts(in, messages);
}

double ring(one_worker& in, std::int64_t messages) {
  in.pattern().nodes = 1000;
  (void)in.counted<bench::Node>(in.pattern().nodes);
  const double found = in.rate(messages, [&] { in.ref<bench::Node>(0).tell_Pass(number(messages - 1)); });
  const bench::Tally handled = in.counted<bench::Node>(in.pattern().nodes);
  expect(handled.count(), messages, "messages that were handled");
  expect(handled.sum(), messages * (messages - 1) / 2, "the sum of their numbers");
  return found;
}

double big(one_worker& in, std::int64_t messages) {
  constexpr std::size_t partners = 200;
  for (std::size_t i = 0; i < partners; ++i)
    in.pattern().partners.push_back(in.ref<bench::Partner>(i));
  (void)in.counted<bench::Partner>(partners);
  const std::int64_t each = messages / std::int64_t{partners} + 1;
  const std::int64_t all = each * std::int64_t{partners};
  in.pattern().running = partners;
  const double found = in.rate(all, [&] {
    for (const auto& partner : in.pattern().partners)
      partner.tell_Run(number(each));
  });
  expect(in.counted<bench::Partner>(partners).count(), all, "calls that were handled");
  return found;
}

}  // namespace

int main(int argc, char** argv) {
  const std::map<std::string_view, double (*)(one_worker&, std::int64_t)> patterns{
      {"calls", calls}, {"tells", tells}, {"fan_out", fan_out}, {"fan_in", fan_in}, {"ring", ring}, {"big", big}};
  const auto pattern = argc == 3 ? patterns.find(argv[1]) : patterns.end();
  const long messages = argc == 3 ? std::atol(argv[2]) : 0;
  if (pattern == patterns.end() || messages <= 0) {
    std::fputs("usage: messages_probe calls|tells|fan_out|fan_in|ring|big MESSAGES\n", stderr);
    return 2;
  }
  one_worker server;
  server.run([&] { std::printf("%.6g\n", pattern->second(server, messages)); });
}
