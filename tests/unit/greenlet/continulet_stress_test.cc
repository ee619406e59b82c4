// SPDX-License-Identifier: Apache-2.0

// Random switches between many continulets and greenlets, each checked against a model: who runs then, in which
// greenlet, and what arrives there. It is what PyPy does with 50 continulets in test_translated.py, with greenlets added.

#include <gtest/gtest.h>

#include <numeric>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/seed.h"
#include "tests/unit/greenlet/unwinding.h"
#include "worker/greenlet/continulet.h"
#include "worker/greenlet/greenlet.h"

namespace grove {
namespace {

constexpr int none = -1;

struct thrown_number {
  int number;
};

/// What arrives at the end of a switch.
struct message {
  enum class kind { nothing, number, thrown, error } what = kind::nothing;
  int number = 0;
  friend bool operator==(const message&, const message&) = default;
};

/// Which flow is where. Places and flows are numbered alike: first the greenlets, then the continulets; a flow has the
/// number of the greenlet that began with it or of the continulet whose body it is.
struct model {
  int greenlets;
  std::vector<int> at;  // place -> the flow that it has; none: finished
  std::vector<bool> started;
  int current = 0;    // greenlet
  message arrives{};  // at the flow that runs

  model(int greenlet_count, int continulet_count)
      : greenlets(greenlet_count), at(size(greenlet_count + continulet_count)), started(at.size()) {
    std::iota(at.begin(), at.end(), 0);
    std::fill_n(started.begin(), greenlet_count, true);
  }
  static std::size_t size(int count) { return static_cast<std::size_t>(count); }
  int& flow_at(int place) { return at[size(place)]; }
  int running() { return flow_at(current); }

  bool usable(int continulet) {
    if (flow_at(continulet) == none) return false;
    for (int place = flow_at(continulet);; place = flow_at(place)) {
      if (place < greenlets) return place == current;
      if (place == continulet) return true;
    }
  }
  /// The error changes nothing: it arrives where the switch was tried.
  void fail() { arrives = {message::kind::error}; }
  void land(message sent) {
    while (!started[size(running())] && sent.what != message::kind::nothing) {
      const int skipped = running();
      if (sent.what == message::kind::number) sent = {message::kind::error};
      flow_at(current) = std::exchange(flow_at(skipped), none);
    }
    started[size(running())] = true;
    arrives = sent;
  }
  void change(int continulet, int to, message sent) {
    if (!usable(continulet)) return fail();
    if (to == continulet) {
      arrives = sent;
      return;
    }
    if (to != none && !usable(to)) return fail();
    const int held = std::exchange(flow_at(continulet), running());
    flow_at(current) = to == none ? held : std::exchange(flow_at(to), held);
    land(sent);
  }
  void permute(const std::vector<int>& continulets) {
    for (int each : continulets) {
      if (!usable(each)) return fail();
    }
    for (std::size_t i = continulets.size() - 1; i > 0; --i)
      std::swap(flow_at(continulets[i]), flow_at(continulets[i - 1]));
    arrives = {};
  }
  void finish(int flow, message sent) {
    flow_at(current) = std::exchange(flow_at(flow), none);
    land(sent);
  }
};

struct shape {
  int greenlets;
  int continulets;
  int switches;
};

/// The real thing, which does what the model does.
class world {
 public:
  world(const shape& form, unsigned seed)
      : form_(form), expected_(form.greenlets, form.continulets), random_(seed), left_(form.switches) {
    greenlets_.emplace_back(&greenlet::main());
    for (int g = 1; g < form_.greenlets; ++g) {
      greenlets_.push_back(
          greenlet::make([this, g] { live(g, arrival([] { return greenlet::main().switch_to(); })); }));
      greenlets_.back()->resume();
    }
    continulets_.resize(model::size(form_.greenlets + form_.continulets));
    for (int c = form_.greenlets; c < form_.greenlets + form_.continulets; ++c)
      make(c);
  }

  void run() {
    while (left_ > 0)
      step(0);
    // Whoever is somewhere in the middle is unwound now.
    greenlets_.clear();
    continulets_.clear();
    EXPECT_EQ(alive_, 0);
  }

 private:
  int pick(int from, int count) { return from + static_cast<int>(random_() % static_cast<unsigned>(count)); }
  bool one_in(int count) { return pick(0, count) == 0; }
  int pick_continulet() { return pick(form_.greenlets, form_.continulets); }
  message pick_message() {
    if (one_in(20)) return {message::kind::thrown, pick(0, 1000)};
    return one_in(2) ? message{} : message{message::kind::number, pick(0, 1000)};
  }
  continulet& at(int place) { return *continulets_[model::size(place)]; }

  void make(int place) {
    expected_.flow_at(place) = place;
    expected_.started[model::size(place)] = false;
    continulets_[model::size(place)] =
        continulet::make([this, place](continulet&) -> switch_value { return live(place, {}); });
  }

  /// The life of a flow, from its first arrival.
  switch_value live(int me, message got) {
    struct count {
      int& of;
      explicit count(int& alive) : of(alive) { ++of; }
      ~count() { --of; }
    };
    const count guard(alive_);
    check(me, got);
    for (;;) {
      while (left_ <= 0)
        leave();
      if (me >= form_.greenlets && one_in(60)) {
        const message last = pick_message();
        expected_.finish(me, last);
        if (last.what == message::kind::thrown) throw thrown_number{last.number};
        return value_of(last);
      }
      step(me);
    }
  }

  void step(int me) {
    --left_;
    const int kind = pick(0, 10);
    const int c = pick_continulet();
    if (expected_.flow_at(c) == none && one_in(2)) make(c);
    if (kind == 0) {
      std::vector<int> each;
      for (int i = pick(1, 4); i > 0; --i)
        each.push_back(pick_continulet());
      expected_.permute(each);
      check(me, arrival([&] {
              std::vector<continulet*> of;
              of.reserve(each.size());
              for (int place : each)
                of.push_back(&at(place));
              permute(of);
              return switch_value();
            }));
    } else if (kind <= 3 && form_.greenlets > 1) {
      expected_.current = pick(0, form_.greenlets);
      expected_.arrives = pick_message();
      check(me, pass(*greenlets_[model::size(expected_.current)], expected_.arrives));
    } else {
      const int to = kind <= 6 ? none : pick_continulet();
      const message sent = pick_message();
      expected_.change(c, to, sent);
      check(me, to == none ? pass(at(c), sent) : pass(at(c), sent, &at(to)));
    }
  }

  template <typename Target, typename... To>
  static message pass(Target& target, message sent, To*... to) {
    return arrival([&] {
      if (sent.what != message::kind::thrown) return target.switch_to(value_of(sent), to...);
      return target.throw_in(std::make_exception_ptr(thrown_number{sent.number}), to...);
    });
  }
  static switch_value value_of(message sent) {
    return sent.what == message::kind::number ? switch_value(sent.number) : switch_value();
  }

  template <typename F>
  static message arrival(F&& wait) {
    try {
      switch_value got = wait();
      return got.empty() ? message{} : message{message::kind::number, got.template take<int>()};
    } catch (const thrown_number& thrown) {
      return {message::kind::thrown, thrown.number};
    } catch (const continulet_error&) {
      return {message::kind::error};
    }
  }

  void check(int me, message got) {
    if (leaving_) return;
    const greenlet* current = greenlets_[model::size(expected_.current)].get();
    if (expected_.running() == me && expected_.arrives == got && &greenlet::current() == current) return;
    ADD_FAILURE() << left_ << " switches before the end flow " << me << " got " << static_cast<int>(got.what) << ' '
                  << got.number << " where flow " << expected_.running() << " should get "
                  << static_cast<int>(expected_.arrives.what) << ' ' << expected_.arrives.number;
    left_ = 0;
  }

  /// Back to the flow that the test began with.
  void leave() {
    leaving_ = true;
    if (!greenlet::current().is_main()) return greenlet::main().resume();
    for (int c = form_.greenlets; c < form_.greenlets + form_.continulets; ++c) {
      if (expected_.flow_at(c) == 0) return at(c).resume();
    }
  }

  int alive_ = 0;
  bool leaving_ = false;
  shape form_;
  model expected_;
  std::mt19937 random_;
  int left_;
  std::vector<greenlet_ptr> greenlets_;
  std::vector<continulet_ptr> continulets_;
};

class continulet_stress : public testing::TestWithParam<shape> {};

TEST_P(continulet_stress, goes_as_the_model_says) {
  const reports seen;
  const std::size_t stacks = thread_stacks().in_use();
  world(GetParam(), test::seed()).run();
  EXPECT_TRUE(seen.texts.empty());
  EXPECT_EQ(thread_stacks().in_use(), stacks);
}

INSTANTIATE_TEST_SUITE_P(of, continulet_stress,
                         testing::Values(shape{1, 3, 20'000}, shape{1, 50, 50'000}, shape{4, 4, 20'000},
                                         shape{12, 30, 50'000}),
                         [](const testing::TestParamInfo<shape>& test) {
                           return std::to_string(test.param.greenlets) + "_greenlets_" +
                                  std::to_string(test.param.continulets) + "_continulets";
                         });

}  // namespace
}  // namespace grove
