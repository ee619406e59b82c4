// SPDX-License-Identifier: Apache-2.0

// gevent: groups and pools.

#include "tests/conformance/interpreter/task_verbs.h"
#include "worker/tasks/pool.h"
#include "worker/tasks/queue.h"

namespace grove::conformance {

namespace {

using results = imap_results<value>;

/// A pool is a group, in the variable as well.
group& group_of(const value& held, const call& with) {
  if (group* of = object_if<group>(held)) return *of;
  if (pool* of = object_if<pool>(held)) return *of;
  with.fault("not a group");
}

value spawn_in(call& with) {
  const value held = with.argument(0);
  auto runs = body_of(with, 1, with.label());
  task made;
  pool* limited = object_if<pool>(held);
  if (limited == nullptr || (waits(with) && !until_of(with)))
    made = group_of(held, with).spawn(std::move(runs));
  else if (waits(with))
    made = limited->spawn_until(*until_of(with), std::move(runs));
  else
    made = limited->try_spawn(std::move(runs));
  if (!made) return {std::string("full")};
  return task_value(with, std::move(made));
}

value join_group(call& with) {
  const value held = with.argument(0);
  const std::optional<value> raises = with.option("raise");
  group_of(held, with).join(until_of(with), raises && raises->truth() ? task_errors::raise : task_errors::keep);
  return {};
}

value kill_group(call& with) {
  const value held = with.argument(0);
  group_of(held, with).kill(waits(with) ? kill_mode::wait : kill_mode::do_not_wait, nullptr, until_of(with));
  return {};
}

value apply(call& with) {
  const value held = with.argument(0);
  auto calls = body_of(with, 1, with.name(1));
  return group_of(held, with).apply(std::move(calls));
}

value map(call& with) {
  const value held = with.argument(0);
  std::vector<value> made = group_of(held, with).map(function_of(with, 1), with.rest(2).places);
  return {std::make_shared<const std::vector<value>>(std::move(made))};
}

value imap(call& with, bool ordered) {
  const value held = with.argument(0);
  const std::optional<value> given = with.option("max");
  const std::size_t most = given ? static_cast<std::size_t>(*given->get_if<long>()) : imap_unlimited;
  group& in = group_of(held, with);
  if (const std::optional<value> from = with.option("from")) {
    auto* items = object_if<queue<value>>(*from);  // its variable keeps it
    if (items == nullptr) with.fault("not a queue");
    if (ordered) return make_object<results>(with, in.imap(function_of(with, 1), *items, most));
    return make_object<results>(with, in.imap_unordered(function_of(with, 1), *items, most));
  }
  if (ordered) return make_object<results>(with, in.imap(function_of(with, 1), with.rest(2).places, most));
  return make_object<results>(with, in.imap_unordered(function_of(with, 1), with.rest(2).places, most));
}

value next(call& with) {
  const object_of<results> of(with);
  return of->next().value_or(value{std::string("end")});
}

value size_of(call& with) {
  const value held = with.argument(0);
  return {static_cast<long>(group_of(held, with).size())};
}

value add(call& with) {
  const value held = with.argument(0);
  group_of(held, with).add(*object_of<task>(with, 1));
  return {};
}

value discard(call& with) {
  const value held = with.argument(0);
  group_of(held, with).discard(*object_of<task>(with, 1));
  return {};
}

value contains(call& with) {
  const value held = with.argument(0);
  return {group_of(held, with).contains(*object_of<task>(with, 1))};
}

value kill_one(call& with) {
  const value held = with.argument(0);
  group_of(held, with).kill_one(*object_of<task>(with, 1), waits(with) ? kill_mode::wait : kill_mode::do_not_wait);
  return {};
}

}  // namespace

void add_pool_verbs(world& to) {
  to.verbs.insert(
      {{"group", [](call& with) { return make_object<group>(with); }},
       {"pool", [](call& with) { return make_object<pool>(with, static_cast<std::size_t>(with.number(0))); }},
       {"spawn_in", spawn_in},
       {"add", add},
       {"discard", discard},
       {"contains", contains},
       {"group_size", size_of},
       {"free", [](call& with) { return value{static_cast<long>(object_of<pool>(with)->free_count())}; }},
       {"full", [](call& with) { return value{object_of<pool>(with)->full()}; }},
       {"wait_available", [](call& with) { return object_of<pool>(with)->wait_available(until_of(with)), value{}; }},
       {"join_group", join_group},
       {"kill_group", kill_group},
       {"kill_one", kill_one},
       {"apply", apply},
       {"map", map},
       {"imap", [](call& with) { return imap(with, true); }},
       {"imap_unordered", [](call& with) { return imap(with, false); }},
       {"next", next}});
}

}  // namespace grove::conformance
