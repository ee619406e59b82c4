// SPDX-License-Identifier: Apache-2.0

// The verbs that every system has: exceptions, bodies as subroutines, variables, threads.

#include "tests/conformance/interpreter/interpreter.h"

namespace grove::conformance {

namespace {

value raise(call& with) {
  world& in = with.from.in;
  const std::string& kind = with.name(0);
  if (in.exceptions.knows(kind)) std::rethrow_exception(in.exceptions.make(kind, with.text(1, "")));
  const value held = with.argument(0);
  if (held.get_if<thrown>() == nullptr) with.fault("no exception " + kind);
  std::rethrow_exception(held.get_if<thrown>()->pointer);
}

value reraise(call& with) {
  if (std::current_exception() == nullptr) with.fault("nothing is being handled");
  throw;
}

/// Runs a body as a subroutine, deeper on the same stack.
value run_call(call& with) {
  return as_one_value(with.from.in.run_body(with.from.who, with.from.in.find_body(with.name(0)), with.rest(1)));
}

value drop(call& with) {
  frame& from = with.from;
  const std::string& name = with.name(0);
  auto& variables = from.locals.count(name) != 0 ? from.locals : from.in.globals;
  const auto found = variables.find(name);
  if (found == variables.end()) with.fault("no variable " + name);
  const value dropped = std::move(found->second);
  variables.erase(found);
  return {};
}

value sum(call& with) {
  long total = 0;
  for (std::size_t at = 0; at < with.count(); ++at)
    total += with.number(at);
  return {total};
}

value same(call& with) {
  const value one = with.argument(0);
  const value other = with.argument(1);
  return {text_of(one) == text_of(other)};
}

/// The element of a tuple, counted from 0, or of a dict, by its name.
value element(call& with) {
  const value of = with.argument(0);
  if (const tuple* places = of.get_if<tuple>()) return (*places)->at(static_cast<std::size_t>(with.number(1)));
  if (const dict* names = of.get_if<dict>()) {
    for (const auto& [name, held] : **names)
      if (name == with.name(1)) return held;
  }
  with.fault("no such element");
}

value start_thread(call& with) {
  world& in = with.from.in;
  const std::string name = with.name(0);
  const body& runs = in.find_body(with.name(1));
  in.threads[name] = std::thread([&in, name, &runs, arguments = with.rest(2)]() mutable {
    const std::lock_guard hold(in.mutex());
    try {
      in.run_body(name, runs, std::move(arguments));
    } catch (const scenario_fault& fault) {
      in.print(std::string("fault: ") + fault.what());
    } catch (...) {
      in.print(name + " ended with " + text_of({in.exceptions.name(std::current_exception())}));
    }
  });
  return {};
}

value join_thread(call& with) {
  world& in = with.from.in;
  const auto found = in.threads.find(with.name(0));
  if (found == in.threads.end()) with.fault("no thread " + with.name(0));
  std::thread joined = std::move(found->second);
  in.threads.erase(found);
  in.mutex().unlock();
  joined.join();
  in.mutex().lock();
  return {};
}

value signal(call& with) {
  with.from.in.signals.insert(with.name(0));
  with.from.in.changed.notify_all();
  return {};
}

value await(call& with) {
  world& in = with.from.in;
  const std::string name = with.name(0);
  std::unique_lock held(in.mutex(), std::adopt_lock);
  in.changed.wait(held, [&] { return in.signals.count(name) != 0; });
  held.release();
  return {};
}

}  // namespace

void add_core_verbs(world& to) {
  to.verbs.insert({{"raise", raise},
                   {"reraise", reraise},
                   {"call", run_call},
                   {"drop", drop},
                   {"sum", sum},
                   {"same", same},
                   {"element", element},
                   {"thread", start_thread},
                   {"join_thread", join_thread},
                   {"signal", signal},
                   {"await", await}});
}

}  // namespace grove::conformance
