// SPDX-License-Identifier: Apache-2.0
#pragma once

// Runs the steps of a scenario. What a step does is a verb; each system brings its own, and adding one is a function and
// a line in a table. The other interpreter, in ../oracle, has the same verbs for the systems that Grove is compared with.

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/conformance/interpreter/language.h"
#include "tests/conformance/interpreter/value.h"

namespace grove::conformance {

class world;

/// One activation of a body.
struct frame {
  frame(world& made_in, std::string name) : in(made_in), who(std::move(name)) {}
  frame(const frame&) = delete;
  frame& operator=(const frame&) = delete;
  world& in;
  std::string who;  ///< what its lines in the transcript begin with
  std::map<std::string, value> locals;
  packed result;
};

/// How a block was left.
enum class flow { next, returned, broke };

/// A step on its way to a verb: its words are evaluated when the verb asks for them.
class call {
 public:
  call(frame& caller, const step& of, std::size_t first) : from(caller), at(of), first_(first) {}
  frame& from;
  const step& at;

  [[nodiscard]] std::size_t count() const noexcept { return at.words.size() - first_; }
  [[nodiscard]] const word& raw(std::size_t number) const;
  [[nodiscard]] const std::string& name(std::size_t number) const { return raw(number).text; }
  [[nodiscard]] value argument(std::size_t number) const;
  [[nodiscard]] long number(std::size_t at_place) const;
  /// The values from `number` on, and those by name.
  [[nodiscard]] packed rest(std::size_t number) const;
  [[nodiscard]] std::optional<value> option(std::string_view name) const;
  [[nodiscard]] std::string text(std::size_t number, const std::string& otherwise) const {
    return number < count() ? raw(number).text : otherwise;
  }
  /// The label for what this step makes.
  [[nodiscard]] const std::string& label() const noexcept { return at.into; }
  [[noreturn]] void fault(const std::string& what) const;

 private:
  std::size_t first_;
};

using action = std::function<value(call&)>;
/// A verb with a block below it.
using scope = std::function<flow(call&)>;

/// A scenario under way.
class world {
 public:
  world(const scenario& runs, std::vector<std::string>& transcript) : of(runs), transcript_(transcript) {}

  const scenario& of;
  std::map<std::string, value> globals;
  std::map<std::string, action> verbs;
  std::map<std::string, scope> scopes;
  exception_names exceptions;

  void print(const std::string& line) {
    if (recording) transcript_.push_back(line);
  }
  [[nodiscard]] const body& find_body(const std::string& name) const;
  /// A text that lives as long as the world, for names that are borrowed.
  std::string_view keep(const std::string& text) { return *texts_.insert(text).first; }

  flow run(frame& in, const std::vector<step>& steps);
  /// Runs a body with arguments; what it returns.
  packed run_body(const std::string& who, const body& runs, packed arguments);
  /// Runs the scenario's own steps; an exception that leaves them is a line of the transcript.
  void run_main(const std::string& who);
  [[nodiscard]] value evaluate(frame& in, const word& of_word);

  /// Held by the one thread that runs: the others wait in `join_thread` and `await`.
  std::mutex& mutex() noexcept { return mutex_; }
  /// All names that values are passed by, in the order of their first use.
  std::vector<std::string> names;
  /// What greenlets run on.
  stack_class stacks = stack_class::small;
  std::condition_variable changed;
  std::set<std::string> signals;
  std::map<std::string, std::thread> threads;
  bool recording = true;

 private:
  flow run_step(frame& in, const step& one);
  flow run_try(frame& in, const std::vector<step>& steps, std::size_t& at);
  flow run_guarded(frame& in, const std::vector<step>& steps, std::size_t first, std::size_t end);
  std::optional<flow> run_control(frame& in, const step& one);
  packed outcome(frame& in, const step& one, std::size_t first);
  void assign(frame& in, const std::string& name, value what);

  std::vector<std::string>& transcript_;
  std::set<std::string> texts_;
  std::mutex mutex_;
};

/// The verbs of the language itself.
void add_core_verbs(world& to);
void add_greenlet_verbs(world& to);
void add_continulet_verbs(world& to);

/// Runs a scenario to its end, on a thread of its own.
[[nodiscard]] std::vector<std::string> run_scenario(const scenario& runs, stack_class stacks);

}  // namespace grove::conformance
