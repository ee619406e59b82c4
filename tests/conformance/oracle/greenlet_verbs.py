# SPDX-License-Identifier: Apache-2.0
"""greenlet: the verbs of Python's greenlet, CPython's or PyPy's."""
import contextvars
import sys

import greenlet

from core_verbs import exception_of
from interpreter import Named

# What greenlet refuses: Grove has one class for misuse of greenlets.
MISUSE = (greenlet.error, ValueError, AttributeError, TypeError)


class Greenlet(greenlet.greenlet):
    label = "main"


def make(call):
    world, label, body = call.world, call.label, call.world.body(call.name(0))
    made = Greenlet(lambda *places, **names: world.run_body(label, body, places, names), call.option("parent"))
    made.label = label
    return made


def switch(call):
    target = call.argument(0).switch
    places, names = call.rest(1)
    return target(*places, **names)


def throw(call):
    target = call.argument(0).throw
    if call.count == 1:
        return target()
    return target(exception_of(call, 1))


def set_parent(call):
    call.argument(0).parent = call.argument(1)


def report_unraisable(call):
    world = call.world

    def hook(unraisable):
        world.print("unraisable in %s" % unraisable.object.label)

    sys.unraisablehook = hook


def trace(call):
    world = call.world
    if call.name(0) == "off":
        return greenlet.settrace(None) and None
    body = None if call.name(0) == "on" else world.body(call.name(0))

    def tracer(event, arguments):
        world.print("trace: %s %s -> %s" % (event, arguments[0].label, arguments[1].label))
        if body:
            world.run_body("tracer", body, [], {})

    greenlet.settrace(tracer)
    return None


def state(call):
    said = repr(call.argument(0)).split(")", 1)[-1].replace("(thread exited)", "exited").strip(" >").split()
    order = ("pending", "current", "suspended", "active", "started", "exited", "dead", "main")
    return " ".join(word for word in order if word in said)


VARIABLE = contextvars.ContextVar("only", default="unset")


def context(call):
    held = call.argument(0).gr_context
    return () if held is None else Named("context", held)


def set_context(call):
    given = call.argument(1)
    call.argument(0).gr_context = None if given == () else given.held


def add_verbs(world):
    # A main greenlet cannot be of a class of ours; in PyPy its attributes are its thread's.
    greenlet.getcurrent().label = "main"
    world.globals["main"] = greenlet.getcurrent()
    world.makers["greenlet_exit"] = greenlet.GreenletExit
    world.makers["greenlet_error"] = greenlet.error
    world.namers.append(lambda error: "greenlet_exit" if isinstance(error, greenlet.GreenletExit) else None)
    world.namers.append(lambda error: "greenlet_error" if isinstance(error, MISUSE) else None)
    world.verbs.update({
        "greenlet": make, "switch": switch, "throw": throw, "set_parent": set_parent,
        "parent": lambda call: call.argument(0).parent,
        "dead": lambda call: call.argument(0).dead,
        "active": lambda call: bool(call.argument(0)),
        "current": lambda call: greenlet.getcurrent(),
        "report_unraisable": report_unraisable,
        "trace": trace,
        "state": state,
        "frames": lambda call: call.argument(0).gr_frame is not None,
        "get_value": lambda call: VARIABLE.get(),
        "set_value": lambda call: VARIABLE.set(call.argument(0)) and None,
        "context": context,
        "copy_context": lambda call: Named("context", call.argument(0).held.copy()),
        "set_context": set_context,
    })
