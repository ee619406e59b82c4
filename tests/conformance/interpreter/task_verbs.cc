// SPDX-License-Identifier: Apache-2.0

// gevent: tasks, waiting and time.

#include "tests/conformance/interpreter/task_verbs.h"

#include <algorithm>

#include "worker/tasks/joinall.h"
#include "worker/tasks/semaphore.h"
#include "worker/tasks/timeout.h"

namespace grove::conformance {

namespace {

using std::chrono::seconds;

/// The names of the scenario's time limits.
class timeout_names {
 public:
  static timeout_names& of_thread() {
    thread_local timeout_names names;
    return names;
  }
  std::map<const timeout*, std::string> live;
  const std::string& of(const timeout_expired& late) {
    for (const auto& [bound, name] : live)
      if (bound->owns(late)) expired_[late.identity] = name;
    return expired_[late.identity];
  }

 private:
  std::map<std::uint64_t, std::string> expired_;
};

thrown name_hub_exception(const std::exception_ptr& pointer) {
  try {
    std::rethrow_exception(pointer);
  } catch (const timeout_expired& late) {
    return {"timeout", timeout_names::of_thread().of(late), pointer};
  } catch (const task_killed&) {
    return {"killed", "", pointer};
  } catch (const task_unfinished&) {
    return {"unfinished", "", pointer};
  } catch (const synchronisation_error&) {
    return {"misuse", "", pointer};
  } catch (const blocking_in_hub&) {
    return {"blocking_in_hub", "", pointer};
  } catch (...) {
    return {};
  }
}

std::exception_ptr exception_of(const call& with, std::size_t place) {
  if (with.count() <= place) return nullptr;
  const exception_names& names = with.from.in.exceptions;
  if (names.knows(with.name(place))) return names.make(with.name(place), with.text(place + 1, ""));
  const value what = with.argument(place);
  if (what.get_if<thrown>() == nullptr) with.fault("no exception");
  return what.get_if<thrown>()->pointer;
}

value kill(call& with) {
  const object_of<task> of(with);
  of->get()->kill(waits(with) ? kill_mode::wait : kill_mode::do_not_wait, exception_of(with, 1), until_of(with));
  return {};
}

value get(call& with) {
  const value held = with.argument(0);
  if (const auto* of = object_if<result>(held)) {
    auto& asked = const_cast<result&>(*of);
    const std::optional<steady_time> until = waits(with) ? until_of(with) : hub::current().now();
    if (!until) return asked.get();
    const value* found = asked.get_until(*until);
    if (found == nullptr) throw task_unfinished("");
    return *found;
  }
  return (*object_of<task>(with))->get(waits(with) ? until_of(with) : hub::current().now());
}

value link(call& with) {
  const object_of<task> of(with);
  world& in = with.from.in;
  const body& runs = in.find_body(with.name(1));
  const std::string label = with.name(0);
  const std::string on = text_of(with.option("on").value_or(value{}));
  const link_on when = on == "value" ? link_on::value : on == "exception" ? link_on::exception : link_on::any;
  const auto call = [&in, &runs, label](task_base&) {
    packed arguments;
    if (!runs.parameters.empty()) arguments.places.push_back({label});
    in.run_body(runs.name, runs, std::move(arguments));
  };
  return {static_cast<long>(of->get()->link(call, when))};
}

value link_to(call& with) {
  (*object_of<task>(with))->link_to(*object_of<result>(with, 1));
  return {};
}

value unlink(call& with) {
  (*object_of<task>(with))->unlink(static_cast<std::uint64_t>(with.number(1)));
  return {};
}

/// A limit on the steps below: `timeout NAME SECONDS [EXCEPTION]`; `nothing` never fires.
flow run_timeout(call& with) {
  hub& on = hub::current();
  const value given = with.argument(1);
  std::optional<steady_duration> limit;
  if (const long* number = given.get_if<long>()) limit = seconds(*number);
  if (with.count() > 2) {
    const auto made = [thrown = exception_of(with, 2)] { return thrown; };
    const deadline_bound bound(on, limit ? std::optional(time_after(on.now(), *limit)) : std::nullopt, made);
    return with.from.in.run(with.from, with.at.block);
  }
  const auto bound = std::make_shared<held_object<timeout>>(with.name(0), on, limit);
  with.from.in.globals[with.name(0)] = {std::shared_ptr<object>(bound)};
  auto& names = timeout_names::of_thread();
  names.live[&bound->held] = with.name(0);
  struct forget {
    world& in;
    const std::string& name;
    const timeout* bound;
    ~forget() {
      timeout_names::of_thread().live.erase(bound);
      in.globals.erase(name);
    }
  } guard{with.from.in, with.name(0), &bound->held};
  try {
    return with.from.in.run(with.from, with.at.block);
  } catch (const timeout_expired& late) {
    (void)names.of(late);  // while it can be told
    throw;
  }
}

value run_with_timeout(call& with) {
  auto calls = body_of(with, 1, with.from.who);
  std::optional<value> made = with_timeout(seconds(with.number(0)), calls);
  return made ? *made : value{std::string("timed out")};
}

value owns(call& with) {
  const value what = with.argument(1);
  const thrown* late = what.get_if<thrown>();
  return {late != nullptr && late->kind == "timeout" && late->text == with.name(0)};
}

value run_joinall(call& with) {
  const std::optional<value> count = with.option("count");
  const std::optional<value> raises = with.option("raise");
  joinall_options options{.until = until_of(with),
                          .errors = raises && raises->truth() ? task_errors::raise : task_errors::keep};
  if (count) options.count = static_cast<std::size_t>(*count->get_if<long>());
  const packed words = with.rest(0);
  return labels_of(joinall(tasks_of(words), options), words);
}

value run_killall(call& with) {
  killall(tasks_of(with.rest(0)),
          {.mode = waits(with) ? kill_mode::wait : kill_mode::do_not_wait, .until = until_of(with)});
  return {};
}

value callback(call& with) {
  world& in = with.from.in;
  const body& runs = in.find_body(with.name(0));
  hub::current().post([&in, &runs] { in.run_body(runs.name, runs, {}); });
  return {};
}

value exception_in(call& with) {
  const std::exception_ptr error = (*object_of<task>(with))->exception();
  return error == nullptr ? value{} : value{with.from.in.exceptions.name(error)};
}

value ready(call& with) {
  const value held = with.argument(0);
  if (const auto* of = object_if<result>(held)) return {of->ready()};
  return {(*object_of<task>(with))->ready()};
}

value successful(call& with) {
  const value held = with.argument(0);
  if (const auto* of = object_if<result>(held)) return {of->successful()};
  return {(*object_of<task>(with))->successful()};
}

}  // namespace

std::optional<steady_time> until_of(const call& with) {
  const std::optional<value> given = with.option("timeout");
  if (!given) return std::nullopt;
  return time_after(hub::current().now(), seconds(*given->get_if<long>()));
}

unique_function<value()> body_of(const call& with, std::size_t first, const std::string& who) {
  world& in = with.from.in;
  return [&in, &runs = in.find_body(with.name(first)), who, arguments = with.rest(first + 1)]() mutable {
    arguments.names.clear();
    return as_one_value(in.run_body(who, runs, std::move(arguments)));
  };
}

std::function<value(const value&)> function_of(const call& with, std::size_t place) {
  world& in = with.from.in;
  return [&in, &runs = in.find_body(with.name(place))](const value& item) {
    packed arguments;
    arguments.places.push_back(item);
    return as_one_value(in.run_body(runs.name, runs, std::move(arguments)));
  };
}

value task_value(const call& with, task spawned_task) {
  spawned_task->set_name(with.from.in.keep(with.label()));
  return make_object<task>(with, std::move(spawned_task));
}

std::vector<task_ptr> tasks_of(const packed& words) {
  std::vector<task_ptr> tasks;
  for (const value& each : words.places)
    if (const task* of = object_if<task>(each)) tasks.push_back(*of);
  return tasks;
}

value labels_of(const std::vector<task_ptr>& tasks, const packed& words) {
  std::vector<value> labels;
  for (const task_ptr& each : tasks) {
    const auto is = [&](const value& word) {
      const task* of = object_if<task>(word);
      return of != nullptr && of->get() == each.get();
    };
    const auto found = std::find_if(words.places.begin(), words.places.end(), is);
    if (found != words.places.end()) labels.push_back(*found);
  }
  return {std::make_shared<const std::vector<value>>(std::move(labels))};
}

void add_task_verbs(world& to) {
  to.exceptions.add(name_hub_exception);
  to.scopes["timeout"] = run_timeout;
  to.verbs.insert({{"spawn", [](call& with) { return task_value(with, spawn(body_of(with, 0, with.label()))); }},
                   {"spawn_later",
                    [](call& with) {
                      return task_value(with, spawn_later(seconds(with.number(0)), body_of(with, 1, with.label())));
                    }},
                   {"kill", kill},
                   {"get", get},
                   {"link", link},
                   {"link_to", link_to},
                   {"unlink", unlink},
                   {"with_timeout", run_with_timeout},
                   {"joinall", run_joinall},
                   {"killall", run_killall},
                   {"owns", owns},
                   {"callback", callback},
                   {"exception", exception_in},
                   {"ready", ready},
                   {"successful", successful},
                   {"cancel_timeout", [](call& with) { return object_of<timeout>(with)->cancel(), value{}; }},
                   {"sleep", [](call& with) { return sleep_for(seconds(with.number(0))), value{}; }},
                   {"yield", [](call&) { return yield(), value{}; }},
                   {"join", [](call& with) { return (*object_of<task>(with))->join(until_of(with)), value{}; }}});
}

}  // namespace grove::conformance
