// SPDX-License-Identifier: Apache-2.0

// gevent: events, results, locks, queues.

#include "tests/conformance/interpreter/task_verbs.h"
#include "worker/tasks/iwait.h"
#include "worker/tasks/local.h"
#include "worker/tasks/queue.h"
#include "worker/tasks/semaphore.h"

namespace grove::conformance {

namespace {

struct less_value {
  bool operator()(const value& one, const value& other) const { return *one.get_if<long>() < *other.get_if<long>(); }
};
using fifo = queue<value>;
using lifo = lifo_queue<value>;
using least = ordered_queue<value, less_value>;

/// Calls `what` with the object of the word at 0 as that of `Types` which it is.
template <typename First, typename... Types>
value with_object(call& with, auto&& what) {
  const value held = with.argument(0);
  if (First* of = object_if<First>(held)) return what(*of);
  if constexpr (sizeof...(Types) != 0) return with_object<Types...>(with, what);
  with.fault("not such an object");
}

value with_lock(call& with, auto&& what) {
  return with_object<semaphore, bounded_semaphore, rlock>(with, what);
}
value with_queue(call& with, auto&& what) {
  return with_object<fifo, lifo, least, channel<value>>(with, what);
}

value acquire(call& with) {
  return with_lock(with, [&](auto& lock) -> value {
    if (!waits(with)) return {lock.try_acquire()};
    if (const auto until = until_of(with)) return {lock.acquire_until(*until)};
    lock.acquire();
    return {true};
  });
}

value make_queue(call& with) {
  hub& on = hub::current();
  const std::size_t capacity = with.count() == 0 ? fifo::unlimited : static_cast<std::size_t>(with.number(0));
  const std::optional<value> order = with.option("order");
  if (!order) return make_object<fifo>(with, on, capacity);
  return text_of(*order) == "lifo" ? make_object<lifo>(with, on, capacity) : make_object<least>(with, on, capacity);
}

value put(call& with) {
  value item = with.argument(1);
  return with_queue(with, [&](auto& of) -> value {
    if (!waits(with)) return {of.try_push(item)};
    if (const auto until = until_of(with)) return {of.push_until(item, *until)};
    of.push(std::move(item));
    return {true};
  });
}

value take(call& with) {
  const value empty{std::string("empty")};
  return with_queue(with, [&](auto& of) -> value {
    if (!waits(with)) return of.try_pop().value_or(empty);
    if (const auto until = until_of(with)) return of.pop_until(*until).value_or(empty);
    return of.pop();
  });
}

value peek(call& with) {
  return with_queue(with, [&](auto& of) -> value {
    const value* found = waits(with) ? of.front(until_of(with)) : of.peek();
    return found == nullptr ? value{std::string("empty")} : *found;
  });
}

template <typename... Types>
void add_waitable(std::vector<waitable_ref>& to, const value& held) {
  const auto add = [&](auto* of) {
    if (of != nullptr) to.emplace_back(*of);
  };
  (add(object_if<Types>(held)), ...);
}

/// `wait_any OBJECTS`: those that became ready, in that order.
value run_wait_any(call& with) {
  const packed words = with.rest(0);
  std::vector<waitable_ref> objects;
  for (const value& each : words.places)
    add_waitable<task, event, result, semaphore, fifo>(objects, each);
  const std::optional<value> count = with.option("count");
  std::vector<value> ready;
  for (const std::size_t at :
       wait_all(objects, until_of(with), count ? static_cast<std::size_t>(*count->get_if<long>()) : iwait::all))
    ready.push_back(words.places[at]);
  return {std::make_shared<const std::vector<value>>(std::move(ready))};
}

using own = local<value>;

value make_own(call& with) {
  return make_object<own>(with, [] { return value{std::string("unset")}; });
}

value wait(call& with) {
  const value held = with.argument(0);
  const std::optional<steady_time> until = until_of(with);
  if (auto* of = object_if<result>(held)) {
    const value* found = of->wait(until);
    return found == nullptr ? value{} : *found;
  }
  const object_of<event> of(with);
  if (until) return {of->wait_until(*until)};
  of->wait();
  return {true};
}

value set(call& with) {
  const value held = with.argument(0);
  if (auto* of = object_if<result>(held)) return of->set(with.argument(1)), value{};
  return object_of<event>(with)->set(), value{};
}

value set_error(call& with) {
  object_of<result>(with)->set_exception(with.from.in.exceptions.make(with.name(1), with.text(2, "")));
  return {};
}

/// The next item of a queue as a range, until end_queue.
value next_item(call& with) {
  return with_queue(with, [](auto& of) { return of.next().value_or(value{std::string("end")}); });
}

value size_of(call& with) {
  return with_queue(with, [](auto& of) -> value { return {static_cast<long>(of.size())}; });
}

}  // namespace

void add_sync_verbs(world& to) {
  const auto permits = [](call& with) { return static_cast<std::size_t>(with.number(0)); };
  to.verbs.insert(
      {{"event", [](call& with) { return make_object<event>(with, hub::current()); }},
       {"async_result", [](call& with) { return make_object<result>(with, hub::current()); }},
       {"semaphore", [=](call& with) { return make_object<semaphore>(with, hub::current(), permits(with)); }},
       {"bounded_semaphore",
        [=](call& with) { return make_object<bounded_semaphore>(with, hub::current(), permits(with)); }},
       {"rlock", [](call& with) { return make_object<rlock>(with, hub::current()); }},
       {"queue", make_queue},
       {"channel", [](call& with) { return make_object<channel<value>>(with, hub::current()); }},
       {"set", set},
       {"set_error", set_error},
       {"clear", [](call& with) { return object_of<event>(with)->clear(), value{}; }},
       {"is_set", [](call& with) { return value{object_of<event>(with)->is_set()}; }},
       {"wait", wait},
       {"wait_any", run_wait_any},
       {"own", make_own},
       {"put_own", [](call& with) { return object_of<own>(with)->get() = with.argument(1), value{}; }},
       {"own_value", [](call& with) { return object_of<own>(with)->get(); }},
       {"acquire", acquire},
       {"release", [](call& with) { return with_lock(with, [](auto& of) { return of.release(), value{}; }); }},
       {"permits",
        [](call& with) {
          return with_object<semaphore, bounded_semaphore>(
              with, [](auto& of) -> value { return {static_cast<long>(of.permits())}; });
        }},
       {"put", put},
       {"next_item", next_item},
       {"end_queue", [](call& with) { return with_queue(with, [](auto& of) { return of.shut_down(), value{}; }); }},
       {"take", take},
       {"peek", peek},
       {"queue_size", size_of},
       {"empty", [](call& with) { return with_queue(with, [](auto& of) { return value{of.empty()}; }); }},
       {"queue_full", [](call& with) { return with_queue(with, [](auto& of) { return value{of.full()}; }); }},
       {"task_done", [](call& with) { return with_queue(with, [](auto& of) { return of.task_done(), value{}; }); }},
       {"join_queue",
        [](call& with) { return with_queue(with, [&](auto& of) { return value{of.join(until_of(with))}; }); }}});
}

}  // namespace grove::conformance
