# SPDX-License-Identifier: Apache-2.0
"""gevent: groups and pools."""
import gevent
from gevent.pool import Group, Pool, PoolFull

import gevent_verbs
from interpreter import Named


def make_group(call):
    made = Group()
    made.label = call.label
    return made


def make_pool(call):
    made = Pool(call.argument(0))
    made.label = call.label
    return made


def spawn_in(call):
    group, task = call.argument(0), gevent_verbs.starter(call, 1)
    try:
        if isinstance(group, Pool):
            group.add(task, blocking=call.option("wait", True), timeout=call.option("timeout"))
        else:
            group.add(task)
    except (PoolFull, gevent.Timeout) as error:
        if error in call.world.timeouts:
            raise
        return "full"
    task.start()
    return task


def function_of(call, place):
    world, name = call.world, call.name(place)
    body = world.body(name)
    return lambda *arguments: world.run_body(name, body, list(arguments), {})


def next_of(call):
    try:
        return next(call.argument(0).held)
    except StopIteration:
        return "end"


def imap(call, how):
    group, items = call.argument(0), call.option("from") or call.rest(2)[0]
    return Named(call.label, getattr(group, how)(function_of(call, 1), items, maxsize=call.option("max")))


def add_verbs(world):
    world.verbs.update({
        "group": make_group, "pool": make_pool, "spawn_in": spawn_in, "next": next_of,
        "add": lambda call: call.argument(0).add(call.argument(1)),
        "discard": lambda call: call.argument(0).discard(call.argument(1)),
        "group_size": lambda call: len(call.argument(0)),
        "contains": lambda call: call.argument(1) in call.argument(0),
        "free": lambda call: call.argument(0).free_count(),
        "full": lambda call: call.argument(0).full(),
        "wait_available": lambda call: call.argument(0).wait_available(call.option("timeout")),
        "join_group": lambda call: call.argument(0).join(call.option("timeout"), call.option("raise", False)) and None,
        "kill_group": lambda call: call.argument(0).kill(block=call.option("wait", True),
                                                         timeout=call.option("timeout")),
        "kill_one": lambda call: call.argument(0).killone(call.argument(1), block=call.option("wait", True)),
        "apply": lambda call: call.argument(0).apply(function_of(call, 1), tuple(call.rest(2)[0])),
        "map": lambda call: tuple(call.argument(0).map(function_of(call, 1), call.rest(2)[0])),
        "imap": lambda call: imap(call, "imap"),
        "imap_unordered": lambda call: imap(call, "imap_unordered"),
    })
