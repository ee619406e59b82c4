// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/interpreter/interpreter.h"

#include <algorithm>

namespace grove::conformance {

const word& call::raw(std::size_t number) const {
  if (number >= count()) fault("too few words");
  return at.words[first_ + number];
}

value call::argument(std::size_t number) const {
  return from.in.evaluate(from, raw(number));
}

long call::number(std::size_t at_place) const {
  const value given = argument(at_place);
  const long* held = given.get_if<long>();
  if (held == nullptr) fault("a number is missing");
  return *held;
}

packed call::rest(std::size_t number) const {
  packed values;
  for (std::size_t place = number; place < count(); ++place)
    values.places.push_back(argument(place));
  for (const auto& [name, given] : at.named) {
    values.names.emplace_back(name, from.in.evaluate(from, given));
    auto& known = from.in.names;
    if (std::find(known.begin(), known.end(), name) == known.end()) known.push_back(name);
  }
  return values;
}

std::optional<value> call::option(std::string_view name) const {
  for (const auto& [given, of] : at.named)
    if (given == name) return from.in.evaluate(from, of);
  return std::nullopt;
}

void call::fault(const std::string& what) const {
  throw scenario_fault("line " + std::to_string(at.line) + ": " + what);
}

const body& world::find_body(const std::string& name) const {
  for (const body& each : of.bodies)
    if (each.name == name) return each;
  throw scenario_fault("no body " + name);
}

value world::evaluate(frame& in, const word& of_word) {
  if (of_word.is == word::type::number) return {of_word.number};
  if (of_word.is == word::type::text) return {of_word.text};
  if (of_word.text == "nothing") return {};
  if (of_word.text == "true" || of_word.text == "false") return {of_word.text == "true"};
  if (const auto local = in.locals.find(of_word.text); local != in.locals.end()) return local->second;
  if (const auto global = globals.find(of_word.text); global != globals.end()) return global->second;
  throw scenario_fault("no variable " + of_word.text);
}

void world::assign(frame& in, const std::string& name, value what) {
  if (name.empty()) return;
  const auto local = in.locals.find(name);
  value& into = local != in.locals.end() ? local->second : globals[name];
  // What was there goes when the new value is in its place, as in Python.
  const value before = std::exchange(into, std::move(what));
}

packed world::run_body(const std::string& who, const body& runs, packed arguments) {
  frame in(*this, who);
  const bool any_number = !runs.parameters.empty() && runs.parameters.back() == "...";
  const std::size_t fixed = runs.parameters.size() - (any_number ? 1 : 0);
  if (arguments.places.size() > fixed && !any_number) throw scenario_error("misfit", "");
  for (std::size_t place = 0; place < fixed && place < arguments.places.size(); ++place)
    in.locals[runs.parameters[place]] = std::move(arguments.places[place]);
  for (auto& [name, given] : arguments.names) {
    const auto known = std::find(runs.parameters.begin(), runs.parameters.end(), name);
    if (known == runs.parameters.end() && !any_number) throw scenario_error("misfit", "");
    if (known != runs.parameters.end()) in.locals[name] = std::move(given);
  }
  if (in.locals.size() < fixed) throw scenario_error("misfit", "");
  if (any_number) in.locals["rest"] = as_one_value(std::move(arguments));
  arguments = {};
  run(in, runs.steps);
  return std::move(in.result);
}

void world::run_main(const std::string& who) {
  try {
    frame in(*this, who);
    run(in, of.steps);
  } catch (...) {
    print(who + " ended with " + text_of({exceptions.name(std::current_exception())}));
  }
}

flow world::run(frame& in, const std::vector<step>& steps) {
  for (std::size_t at = 0; at < steps.size();) {
    const flow left = steps[at].verb() == "try" ? run_try(in, steps, at) : run_step(in, steps[at++]);
    if (left != flow::next) return left;
  }
  return flow::next;
}

flow world::run_guarded(frame& in, const std::vector<step>& steps, std::size_t first, std::size_t end) {
  try {
    return run(in, steps[first].block);
  } catch (const scenario_fault&) {
    throw;
  } catch (...) {
    thrown what = exceptions.name(std::current_exception());
    const step* handler = nullptr;
    for (std::size_t at = first + 1; at < end && handler == nullptr; ++at)
      if (steps[at].verb() == "catch" && catches(steps[at].words.at(1).text, what)) handler = &steps[at];
    if (handler == nullptr) throw;
    // `catch CLASS as NAME`
    if (handler->words.size() > 3) assign(in, handler->words[3].text, {std::move(what)});
    what = {};
    return run(in, handler->block);
  }
}

flow world::run_try(frame& in, const std::vector<step>& steps, std::size_t& at) {
  const std::size_t first = at++;
  while (at < steps.size() && steps[at].verb() == "catch")
    ++at;
  const bool has_finally = at < steps.size() && steps[at].verb() == "finally";
  if (!has_finally) return run_guarded(in, steps, first, at);
  const step& last = steps[at++];
  flow left = flow::next;
  try {
    left = run_guarded(in, steps, first, at - 1);
  } catch (const scenario_fault&) {
    throw;
  } catch (...) {
    if (const flow instead = run(in, last.block); instead != flow::next) return instead;
    throw;
  }
  const flow instead = run(in, last.block);
  return instead != flow::next ? instead : left;
}

/// What a step's words from `first` on come to: the result of a verb, or values.
packed world::outcome(frame& in, const step& one, std::size_t first) {
  packed made;
  const bool is_verb = first < one.words.size() && one.words[first].is == word::type::name;
  if (const auto found = is_verb ? verbs.find(one.words[first].text) : verbs.end(); found != verbs.end()) {
    call with(in, one, first + 1);
    value result = found->second(with);
    if (!result.nothing()) made.places.push_back(std::move(result));
    return made;
  }
  return call(in, one, first).rest(0);
}

std::optional<flow> world::run_control(frame& in, const step& one) {
  const std::string& name = one.verb();
  if (name == "repeat" || name == "forever") {
    const long times = name == "repeat" ? call(in, one, 1).number(0) : -1;
    for (long round = 0; round != times; ++round) {
      const flow left = run(in, one.block);
      if (left == flow::broke) break;
      if (left != flow::next) return left;
    }
    return flow::next;
  }
  if (name == "if" || name == "unless") {
    const bool chosen = as_one_value(outcome(in, one, 1)).truth() == (name == "if");
    return chosen ? run(in, one.block) : flow::next;
  }
  if (name == "break") return flow::broke;
  if (name == "return") {
    in.result = outcome(in, one, 1);
    return flow::returned;
  }
  return std::nullopt;
}

flow world::run_step(frame& in, const step& one) {
  if (const auto control = run_control(in, one)) return *control;
  if (const auto found = scopes.find(one.verb()); found != scopes.end()) {
    call with(in, one, 1);
    return found->second(with);
  }
  if (one.verb() == "local") {
    in.locals[one.words.at(1).text];
    return flow::next;
  }
  if (one.verb() == "print") {
    const packed shown = outcome(in, one, 1);
    std::string line = in.who + ":";
    for (const value& each : shown.places)
      line += " " + text_of(each);
    if (shown.places.empty()) line += " ()";
    print(line);
    return flow::next;
  }
  if (one.into.empty() && verbs.count(one.verb()) == 0)
    throw scenario_fault("line " + std::to_string(one.line) + ": unknown verb " + one.verb());
  value result = as_one_value(outcome(in, one, 0));
  assign(in, one.into, std::move(result));
  return flow::next;
}

}  // namespace grove::conformance
