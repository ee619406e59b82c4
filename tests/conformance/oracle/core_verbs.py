# SPDX-License-Identifier: Apache-2.0
"""The verbs that every system has: exceptions, bodies as subroutines, variables, threads."""
import sys
import threading

from interpreter import pack
from language import Fault

BATON = threading.Condition()  # held by the one thread that runs


def exception_of(call, place):
    """`CLASS TEXT`, or a variable that holds an exception."""
    kind = call.name(place)
    if kind in call.world.makers:
        text = call.text(place + 1, "")
        return call.world.makers[kind](text) if text else call.world.makers[kind]()
    held = call.argument(place)
    if not isinstance(held, BaseException):
        raise Fault("line %d: no exception %s" % (call.step.line, kind))
    return held


def raise_(call):
    raise exception_of(call, 0)


def reraise(call):
    if sys.exc_info()[1] is None:
        raise Fault("line %d: nothing is being handled" % call.step.line)
    raise  # what the step around it handles


def run_call(call):
    return call.world.run_body(call.frame.who, call.world.body(call.name(0)), *call.rest(1))


def drop(call):
    name = call.name(0)
    variables = call.frame.locals if name in call.frame.locals else call.world.globals
    if name not in variables:
        raise Fault("line %d: no variable %s" % (call.step.line, name))
    del variables[name]


def total(call):
    return sum(call.rest(0)[0])


def same(call):
    return call.world.text_of(call.argument(0)) == call.world.text_of(call.argument(1))


def element(call):
    of = call.argument(0)
    return of[call.name(1)] if isinstance(of, dict) else of[call.argument(1)]


def start_thread(call):
    world, name, body, (places, names) = call.world, call.name(0), call.world.body(call.name(1)), call.rest(2)

    def run():
        with BATON:
            try:
                world.run_body(name, body, places, names)
            except Fault as fault:
                world.print("fault: %s" % fault)
            except BaseException as error:
                world.print("%s ended with %s" % (name, world.text_of(error)))

    world.threads[name] = threading.Thread(target=run, daemon=True)
    world.threads[name].start()


def join_thread(call):
    joined = call.world.threads.pop(call.name(0))
    BATON.release()
    joined.join()
    BATON.acquire()


def signal(call):
    call.world.signals.add(call.name(0))
    BATON.notify_all()


def await_(call):
    name, signals = call.name(0), call.world.signals
    BATON.wait_for(lambda: name in signals)


def add_verbs(world):
    world.verbs.update({"raise": raise_, "reraise": reraise, "call": run_call, "drop": drop, "sum": total, "same": same,
                        "element": element, "thread": start_thread, "join_thread": join_thread, "signal": signal,
                        "await": await_})


__all__ = ["BATON", "add_verbs", "exception_of", "pack"]
