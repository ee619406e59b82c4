// SPDX-License-Identifier: Apache-2.0

// Event-based actors of CAF, measured as messages_probe.cc measures actors, with a scheduler of one thread. Mailboxes have
// no bound here: senders send as much at a time as they do there.

#include <algorithm>
#include <caf/all.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using number = std::int64_t;

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "caf_actors: %s\n", why.c_str());
  std::_Exit(1);
}

void expect(number found, number wanted, const std::string& what) {
  if (found != wanted) fail(what + ": " + std::to_string(found) + " instead of " + std::to_string(wanted));
}

struct tally {
  number count = 0;
  number sum = 0;
  void add(number value) {
    ++count;
    sum += value;
  }
};

/// What the actors of a pattern share. There is one thread for all of them, and main only waits for the end.
struct work {
  std::vector<caf::actor> actors;  ///< Nodes, partners or senders.
  std::vector<caf::actor> receivers;
  std::vector<tally> counted;  ///< By actor, of whatever it handles.
  std::vector<tally> sent;     ///< By sender.
  number calls = 0;            ///< Of each that calls.
  number running = 0;          ///< Those that call and are not done.
  number burst = 0;
  number bursts = 0;
  number bursts_begun = 0;
  std::promise<void> finished;

  void one_is_done() {
    if (--running == 0) finished.set_value();
  }
};

void check(const caf::error& why) {
  fail("a call failed: " + caf::to_string(why));
}

// ---- calls ----

caf::behavior answerer(caf::event_based_actor*, work* of) {
  return {[of](number question) {
    of->counted[0].add(question);
    return question + 1;
  }};
}

void call_next(caf::event_based_actor* self, work* of, number question) {
  if (question == of->calls) return of->one_is_done();
  self->request(of->actors[0], caf::infinite, question)
      .await(
          [=](number answer) {
            if (answer != question + 1) fail("a call has a wrong answer");
            call_next(self, of, question + 1);
          },
          check);
}

caf::behavior caller(caf::event_based_actor* self, work* of) {
  return {[=](caf::ok_atom) { call_next(self, of, 0); }};
}

// ---- tells, fan_out, fan_in ----

caf::behavior sender(caf::event_based_actor* self, work* of, std::size_t index) {
  return {[=](caf::ok_atom) {
    tally& counted = of->sent[index];
    for (number i = 0; i < of->burst; ++i) {
      for (const caf::actor& receiver : of->receivers) {
        self->send(receiver, counted.count);
        counted.add(counted.count);
      }
    }
  }};
}

caf::behavior receiver(caf::event_based_actor* self, work* of, std::size_t index) {
  return {[=](number value) {
            tally& counted = of->counted[index];
            counted.add(value);
            if (index + 1 < of->counted.size() || counted.count % of->burst != 0) return;
            if (of->bursts_begun < of->bursts) {
              const auto next = static_cast<std::size_t>(of->bursts_begun++);
              self->send(of->actors[next % of->actors.size()], caf::ok_atom_v);
            }
            if (counted.count == of->bursts * of->burst) of->finished.set_value();
          },
          [=](caf::get_atom) { return of->counted[index].count; }};
}

// ---- ring ----

caf::behavior node(caf::event_based_actor* self, work* of, std::size_t index) {
  return {[=](number left) {
    of->counted[index].add(left);
    if (left == 0) return of->finished.set_value();
    self->send(of->actors[(index + 1) % of->actors.size()], left - 1);
  }};
}

// ---- big ----

struct drawn {
  std::minstd_rand random;
};

void call_another(caf::stateful_actor<drawn>* self, work* of, std::size_t index, number question) {
  if (question == of->calls) return of->one_is_done();
  std::size_t other = self->state.random() % (of->actors.size() - 1);
  if (other >= index) ++other;
  self->request(of->actors[other], caf::infinite, question)
      .then(
          [=](number answer) {
            if (answer != question + 1) fail("a call has a wrong answer");
            call_another(self, of, index, question + 1);
          },
          check);
}

caf::behavior partner(caf::stateful_actor<drawn>* self, work* of, std::size_t index) {
  const std::size_t seed = index + 1;
  self->state.random.seed(static_cast<std::minstd_rand::result_type>(seed * seed * seed));
  return {[=](caf::ok_atom) { call_another(self, of, index, 0); },
          [=](number question) {
            of->counted[index].add(question);
            return question + 1;
          }};
}

// ---- patterns ----

template <class Begin>
double rate(work& of, number messages, Begin begin) {
  const auto begun = std::chrono::steady_clock::now();
  begin();
  of.finished.get_future().wait();
  return static_cast<double>(messages) /
         std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

tally total(const std::vector<tally>& all) {
  tally sum;
  for (const tally& one : all) {
    sum.count += one.count;
    sum.sum += one.sum;
  }
  return sum;
}

double calls(caf::actor_system& in, work& of, number messages) {
  of.calls = messages;
  of.running = 1;
  of.counted.resize(1);
  of.actors.push_back(in.spawn(answerer, &of));
  const caf::actor begins = in.spawn(caller, &of);
  const double found = rate(of, messages, [&] { caf::anon_send(begins, caf::ok_atom_v); });
  expect(of.counted[0].count, messages, "calls that were handled");
  return found;
}

double bursts(caf::actor_system& in, work& of, number messages, std::size_t senders, std::size_t receivers) {
  const number in_a_burst = of.burst * static_cast<number>(receivers);
  of.bursts = std::max(messages / in_a_burst, of.bursts_begun);
  of.sent.resize(senders);
  of.counted.resize(receivers);
  for (std::size_t i = 0; i < receivers; ++i)
    of.receivers.push_back(in.spawn(receiver, &of, i));
  for (std::size_t i = 0; i < senders; ++i)
    of.actors.push_back(in.spawn(sender, &of, i));
  const number begun = of.bursts_begun;
  const double found = rate(of, of.bursts * in_a_burst, [&] {
    for (number i = 0; i < begun; ++i)
      caf::anon_send(of.actors[static_cast<std::size_t>(i)], caf::ok_atom_v);
  });
  // The last receiver has had all; others may still have a message each, before this one.
  caf::scoped_actor asks{in};
  for (const caf::actor& one : of.receivers)
    asks->request(one, caf::infinite, caf::get_atom_v).receive([](number) {}, check);
  expect(total(of.sent).count, of.bursts * in_a_burst, "messages that were sent");
  expect(total(of.counted).count, total(of.sent).count, "messages that were handled");
  expect(total(of.counted).sum, total(of.sent).sum, "the sum of their numbers");
  return found;
}

double tells(caf::actor_system& in, work& of, number messages) {
  of.burst = 128;
  of.bursts_begun = 1;
  return bursts(in, of, messages, 1, 1);
}

double fan_out(caf::actor_system& in, work& of, number messages) {
  of.burst = 1;
  of.bursts_begun = 1;
  return bursts(in, of, messages, 1, 1000);
}

double fan_in(caf::actor_system& in, work& of, number messages) {
  of.burst = 8;
  of.bursts_begun = 16;
  return bursts(in, of, messages, 1000, 1);
}

double ring(caf::actor_system& in, work& of, number messages) {
  of.counted.resize(1000);
  for (std::size_t i = 0; i < of.counted.size(); ++i)
    of.actors.push_back(in.spawn(node, &of, i));
  const double found = rate(of, messages, [&] { caf::anon_send(of.actors[0], messages - 1); });
  expect(total(of.counted).count, messages, "messages that were handled");
  expect(total(of.counted).sum, messages * (messages - 1) / 2, "the sum of their numbers");
  return found;
}

double big(caf::actor_system& in, work& of, number messages) {
  of.running = 200;
  of.calls = messages / of.running + 1;
  const number all = of.calls * of.running;
  of.counted.resize(200);
  for (std::size_t i = 0; i < of.counted.size(); ++i)
    of.actors.push_back(in.spawn(partner, &of, i));
  const double found = rate(of, all, [&] {
    for (const caf::actor& one : of.actors)
      caf::anon_send(one, caf::ok_atom_v);
  });
  expect(total(of.counted).count, all, "calls that were handled");
  return found;
}

}  // namespace

int main(int argc, char** argv) {
  const std::map<std::string_view, double (*)(caf::actor_system&, work&, number)> patterns{
      {"calls", calls}, {"tells", tells}, {"fan_out", fan_out}, {"fan_in", fan_in}, {"ring", ring}, {"big", big}};
  const auto pattern = argc == 3 ? patterns.find(argv[1]) : patterns.end();
  if (pattern == patterns.end()) fail("usage: caf_actors PATTERN MESSAGES");
  caf::actor_system_config options;
  options.set("scheduler.max-threads", std::size_t{1});
  work shared;
  caf::actor_system system{options};
  std::printf("%.6g\n", pattern->second(system, shared, std::atol(argv[2])));
  std::fflush(stdout);
  std::_Exit(0);  // what is measured is over: actors that know one another need not be freed
}
