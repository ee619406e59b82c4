// SPDX-License-Identifier: Apache-2.0

// greenlet: the verbs of worker/greenlet.

#include <tuple>

#include "tests/conformance/interpreter/interpreter.h"
#include "worker/greenlet/arguments.h"
#include "worker/greenlet/context.h"
#include "worker/greenlet/stack_trace.h"
#include "worker/greenlet/trace.h"

namespace grove::conformance {

namespace {

greenlet& target_of(call& with, std::size_t place = 0) {
  const value held = with.argument(place);
  const greenlet_ptr* target = held.get_if<greenlet_ptr>();
  if (target == nullptr) with.fault("not a greenlet");
  return **target;  // The variable keeps it, or the caller does.
}

/// Values as Grove packs them, in a number that is known when this runs and not before.
template <typename... Args>
switch_value pack_names(named_values& names, Args&&... args) {
  const auto by_name = [&](std::size_t at) { return named(names[at].first, std::move(names[at].second)); };
  if (names.empty()) return pack(std::forward<Args>(args)...);
  if (names.size() == 1) return pack(std::forward<Args>(args)..., by_name(0));
  if (names.size() == 2) return pack(std::forward<Args>(args)..., by_name(0), by_name(1));
  throw scenario_fault("more than two names in one switch");
}

switch_value sent(packed values) {
  std::vector<value>& at = values.places;
  if (at.empty()) return pack_names(values.names);
  if (at.size() == 1) return pack_names(values.names, std::move(at[0]));
  if (at.size() == 2) return pack_names(values.names, std::move(at[0]), std::move(at[1]));
  if (at.size() == 3) return pack_names(values.names, std::move(at[0]), std::move(at[1]), std::move(at[2]));
  throw scenario_fault("more than three values in one switch");
}

void unpack_names(world& in, grove::named_values& from, packed& into) {
  for (const std::string& name : in.names)
    if (switch_value* found = from.find(name)) into.names.emplace_back(name, found->take<value>());
}

void unpack_places(switch_value& from, packed& into) {
  const auto add = [&](auto&&... each) { (into.places.push_back(std::forward<decltype(each)>(each)), ...); };
  if (from.is<value>()) add(from.take<value>());
  if (from.is<std::tuple<value>>()) std::apply(add, from.take<std::tuple<value>>());
  if (from.is<std::tuple<value, value>>()) std::apply(add, from.take<std::tuple<value, value>>());
  if (from.is<std::tuple<value, value, value>>()) std::apply(add, from.take<std::tuple<value, value, value>>());
  if (from.is<greenlet_exit>()) add(value{thrown{"greenlet_exit", "", std::make_exception_ptr(greenlet_exit())}});
}

/// What was passed, as arguments of a body.
packed arguments_of(world& in, switch_value passed) {
  packed found;
  if (passed.is<grove::named_values>()) {
    unpack_names(in, *passed.get_if<grove::named_values>(), found);
  } else if (passed.is<arguments>()) {
    auto both = passed.take<arguments>();
    unpack_places(both.positional, found);
    unpack_names(in, both.named, found);
  } else {
    unpack_places(passed, found);
  }
  return found;
}

/// The same as the result of a switch.
value received(world& in, switch_value passed) {
  return as_one_value(arguments_of(in, std::move(passed)));
}

value make(call& with) {
  world& in = with.from.in;
  const std::string label = with.label();
  const body& runs = in.find_body(with.name(0));
  greenlet_options options{.stack = in.stacks, .name = in.keep(label)};
  const std::optional<value> parent = with.option("parent");
  if (parent) options.parent = parent->get_if<greenlet_ptr>()->get();
  return {greenlet::make(
      [&in, &runs, label](switch_value passed) {
        return sent(in.run_body(label, runs, arguments_of(in, std::move(passed))));
      },
      options)};
}

value switch_to(call& with) {
  const value held = with.argument(0);
  greenlet& target = target_of(with);
  return received(with.from.in, target.switch_to(sent(with.rest(1))));
}

value throw_in(call& with) {
  const value held = with.argument(0);
  greenlet& target = target_of(with);
  const exception_names& names = with.from.in.exceptions;
  if (with.count() == 1) return received(with.from.in, target.throw_in());
  if (names.knows(with.name(1)))
    return received(with.from.in, target.throw_in(names.make(with.name(1), with.text(2, ""))));
  const value what = with.argument(1);
  if (what.get_if<thrown>() == nullptr) with.fault("no exception");
  return received(with.from.in, target.throw_in(what.get_if<thrown>()->pointer));
}

value parent(call& with) {
  greenlet* found = target_of(with).parent();
  return found == nullptr ? value{} : value{greenlet_ptr(found)};
}

value set_parent(call& with) {
  target_of(with).set_parent(target_of(with, 1));
  return {};
}

/// `trace on`, `trace off`, or `trace BODY`: a tracer that runs it.
value trace(call& with) {
  world& in = with.from.in;
  if (with.name(0) == "off") return set_trace(nullptr), value{};
  const bool shows = with.name(0) == "on";
  const body* runs = shows ? nullptr : &in.find_body(with.name(0));
  set_trace([&in, runs](trace_event event, greenlet& origin, greenlet& target) {
    const std::string kind = event == trace_event::switched ? "switch " : "throw ";
    in.print("trace: " + kind + std::string(origin.name()) + " -> " + std::string(target.name()));
    if (runs != nullptr) in.run_body("tracer", *runs, {});
  });
  return {};
}

/// The words of describe() that say how it is.
value state(call& with) {
  const std::string text = describe(target_of(with));
  std::string found;
  for (const char* word : {"pending", "current", "suspended", "active", "started", "exited", "dead", "main"})
    if (text.find(word, text.find("' at ")) != std::string::npos)
      found += (found.empty() ? "" : " ") + std::string(word);
  return {found};
}

using variable = context_var<value>;

/// The one variable of contexts that a scenario has.
variable& context_variable() {
  static variable only;
  return only;
}

value get_context_value(call&) {
  const value* found = context_variable().get();
  return found == nullptr ? value{std::string("unset")} : *found;
}

class context_object final : public object {
 public:
  explicit context_object(context of) : object("context"), held(std::move(of)) {}
  context held;
};

value get_context(call& with) {
  context of = context_of(target_of(with));
  return of ? value{std::shared_ptr<object>(std::make_shared<context_object>(std::move(of)))} : value{};
}

const context& context_in(const value& held) {
  static const context none;
  const auto* pointer = held.get_if<std::shared_ptr<object>>();
  return pointer == nullptr ? none : dynamic_cast<const context_object&>(**pointer).held;
}

value copy_context(call& with) {
  return {std::shared_ptr<object>(std::make_shared<context_object>(context_in(with.argument(0)).copy()))};
}

value give_context(call& with) {
  set_context(target_of(with), context_in(with.argument(1)));
  return {};
}

value on_unraisable(call& with) {
  world& in = with.from.in;
  set_unraisable_hook(
      [&in](const greenlet& of, std::string_view) { in.print("unraisable in " + std::string(of.name())); });
  return {};
}

}  // namespace

void add_greenlet_verbs(world& to) {
  greenlet::main().set_name("main");
  to.globals["main"] = {greenlet_ptr(&greenlet::main())};
  to.verbs.insert({{"greenlet", make},
                   {"switch", switch_to},
                   {"throw", throw_in},
                   {"parent", parent},
                   {"set_parent", set_parent},
                   {"dead", [](call& with) { return value{target_of(with).dead()}; }},
                   {"active", [](call& with) { return value{target_of(with).active()}; }},
                   {"current", [](call&) { return value{greenlet_ptr(&greenlet::current())}; }},
                   {"report_unraisable", on_unraisable},
                   {"trace", trace},
                   {"state", state},
                   {"frames", [](call& with) { return value{!stack_trace(target_of(with)).empty()}; }},
                   {"get_value", get_context_value},
                   {"set_value", [](call& with) { return context_variable().set(with.argument(0)), value{}; }},
                   {"context", get_context},
                   {"copy_context", copy_context},
                   {"set_context", give_context}});
}

}  // namespace grove::conformance
