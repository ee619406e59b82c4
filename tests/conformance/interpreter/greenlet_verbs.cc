// SPDX-License-Identifier: Apache-2.0

// greenlet: the verbs of worker/greenlet.

#include "tests/conformance/interpreter/interpreter.h"

namespace grove::conformance {

namespace {

greenlet& target_of(call& with, std::size_t place = 0) {
  const value held = with.argument(place);
  const greenlet_ptr* target = held.get_if<greenlet_ptr>();
  if (target == nullptr) with.fault("not a greenlet");
  return **target;  // The variable keeps it, or the caller does.
}

/// A greenlet's result or what is passed to it, as the language sees it.
value received(switch_value passed) {
  if (passed.is<packed>()) return as_one_value(passed.take<packed>());
  if (passed.is<greenlet_exit>()) return {thrown{"greenlet_exit", "", std::make_exception_ptr(greenlet_exit())}};
  return {};
}

switch_value sent(packed values) {
  if (values.places.empty() && values.names.empty()) return {};
  return switch_value(std::move(values));
}

packed arguments_of(switch_value passed) {
  if (passed.is<packed>()) return passed.take<packed>();
  packed arguments;
  if (passed) arguments.places.push_back(received(std::move(passed)));
  return arguments;
}

value make(call& with) {
  world& in = with.from.in;
  const std::string label = with.label();
  const body& runs = in.find_body(with.name(0));
  greenlet_options options{.name = in.keep(label)};
  const std::optional<value> parent = with.option("parent");
  if (parent) options.parent = parent->get_if<greenlet_ptr>()->get();
  return {greenlet::make(
      [&in, &runs, label](switch_value passed) {
        return sent(in.run_body(label, runs, arguments_of(std::move(passed))));
      },
      options)};
}

value switch_to(call& with) {
  const value held = with.argument(0);
  greenlet& target = target_of(with);
  return received(target.switch_to(sent(with.rest(1))));
}

value throw_in(call& with) {
  const value held = with.argument(0);
  greenlet& target = target_of(with);
  const exception_names& names = with.from.in.exceptions;
  if (with.count() == 1) return received(target.throw_in());
  if (names.knows(with.name(1))) return received(target.throw_in(names.make(with.name(1), with.text(2, ""))));
  const value what = with.argument(1);
  if (what.get_if<thrown>() == nullptr) with.fault("no exception");
  return received(target.throw_in(what.get_if<thrown>()->pointer));
}

value parent(call& with) {
  greenlet* found = target_of(with).parent();
  return found == nullptr ? value{} : value{greenlet_ptr(found)};
}

value set_parent(call& with) {
  target_of(with).set_parent(target_of(with, 1));
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
                   {"report_unraisable", on_unraisable}});
}

}  // namespace grove::conformance
