# SPDX-License-Identifier: Apache-2.0
"""gevent: tasks, waiting and time; locks, queues and groups are in files of their own."""
import gevent
import gevent.hub
import greenlet
from gevent import Timeout
from gevent._hub_local import set_hub
from gevent.exceptions import BlockingSwitchOutError, LoopExit

import gevent_pools
import gevent_sync
from core_verbs import exception_of
from interpreter import Error, NEXT
from virtual_time import VirtualLoop


class Unfinished(Error):
    """A get() whose own time is over. gevent throws a Timeout that nobody can tell from others."""
    kind = "unfinished"


class Task(gevent.Greenlet):
    label = "main"


def starter(call, first):
    """A task that has not been started, of `BODY ARGUMENTS`."""
    world, label, body = call.world, call.label, call.world.body(call.name(first))
    places, _ = call.rest(first + 1)
    made = Task(lambda: world.run_body(label, body, places, {}))
    made.label = label
    return made


def spawn(call):
    made = starter(call, 0)
    made.start()
    return made


def spawn_later(call):
    made = starter(call, 1)
    made.start_later(call.argument(0))
    return made


def limit(call):
    return call.option("timeout")


def kill(call):
    thrown = exception_of(call, 1) if call.count > 1 else gevent.GreenletExit
    call.argument(0).kill(thrown, block=call.option("wait", True), timeout=limit(call))


def get(call):
    of = call.argument(0)
    try:
        return of.get(block=call.option("wait", True), timeout=limit(call))
    except Timeout as late:
        if late in call.world.timeouts:
            raise
        raise Unfinished() from None


def in_hub(call, first):
    """A callable that runs a body in the hub's context."""
    world, name = call.world, call.name(first)
    body = world.body(name)
    return lambda *arguments: world.run_body(name, body, [of.label for of in arguments][:len(body.parameters)], {})


def link(call):
    callback = in_hub(call, 1)
    how = {"value": "link_value", "exception": "link_exception", None: "rawlink"}[call.option("on")]
    getattr(call.argument(0), how)(callback)
    number = len(call.world.links)
    call.world.links.append(callback)
    return number


def unlink(call):
    call.argument(0).unlink(call.world.links[call.argument(1)])


def timeout(call):
    """A limit on the steps below."""
    seconds = call.argument(1)
    bound = Timeout.start_new(None if seconds == () else seconds, exception_of(call, 2) if call.count > 2 else None)
    bound.label = call.name(0)
    call.world.timeouts.append(bound)
    call.world.globals[call.name(0)] = bound
    try:
        return call.world.run(call.frame, call.step.block) or NEXT
    finally:
        bound.close()


def with_timeout(call):
    world, body, places = call.world, call.world.body(call.name(1)), call.rest(2)[0]
    return gevent.with_timeout(call.argument(0), lambda: world.run_body(call.frame.who, body, places, {}),
                               timeout_value="timed out")


def joinall(call):
    tasks = call.rest(0)[0]
    done = gevent.joinall(tasks, timeout=limit(call), raise_error=call.option("raise", False),
                          count=call.option("count"))
    return tuple(done)


def killall(call):
    tasks = call.rest(0)[0]
    try:
        gevent.killall(tasks, block=call.option("wait", True), timeout=limit(call))
    except Timeout as late:
        if late in call.world.timeouts:
            raise


def wait_any(call):
    """The objects in the order in which they became ready."""
    objects = call.rest(0)[0]
    return tuple(gevent.iwait(objects, timeout=limit(call), count=call.option("count")))


def name_of(error):
    if isinstance(error, Timeout):
        return ("timeout", error.label)
    for kind, classes in (("greenlet_exit", gevent.GreenletExit), ("would block forever", LoopExit),
                          ("blocking_in_hub", BlockingSwitchOutError),
                          ("misuse", (ValueError, RuntimeError, AssertionError)), ("greenlet_error", greenlet.error)):
        if isinstance(error, classes):
            return kind
    return None


def add_verbs(world):
    world.timeouts, world.links = [], []
    world.makers["greenlet_exit"] = gevent.GreenletExit
    world.namers.append(name_of)
    world.scopes["timeout"] = timeout
    world.verbs.update({
        "spawn": spawn, "spawn_later": spawn_later, "kill": kill, "get": get, "link": link, "unlink": unlink,
        "with_timeout": with_timeout, "joinall": joinall, "killall": killall, "wait_any": wait_any,
        "cancel_timeout": lambda call: call.argument(0).cancel(),
        "owns": lambda call: call.argument(0) is call.argument(1),
        "sleep": lambda call: gevent.sleep(call.argument(0)),
        "yield": lambda call: gevent.sleep(0),
        "join": lambda call: call.argument(0).join(timeout=limit(call)),
        "ready": lambda call: call.argument(0).ready(),
        "successful": lambda call: call.argument(0).successful(),
        "exception": lambda call: call.argument(0).exception,
        "callback": lambda call: gevent.get_hub().loop.run_callback(in_hub(call, 0)),
    })
    gevent_sync.add_verbs(world)
    gevent_pools.add_verbs(world)


def run_main(world):
    hub = gevent.hub.Hub(loop=VirtualLoop())
    set_hub(hub)

    def handle_error(context, kind, error, traceback):
        if not isinstance(context, gevent.Greenlet):
            world.print("hub: %s" % world.text_of(error))

    hub.handle_error = handle_error
    world.run_main("main")
    world.recording = False
