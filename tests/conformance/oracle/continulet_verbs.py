# SPDX-License-Identifier: Apache-2.0
"""continulet: the verbs of PyPy's _continuation."""
from _continuation import continulet, error, generator, permute

from core_verbs import exception_of
from interpreter import Named


class Continulet(continulet):
    label = ""


def label_of(call):
    made = Continulet.__new__(Continulet)
    made.label = call.label
    return made


def init(call, target, first):
    world, body = call.world, call.world.body(call.name(first))
    places, names = call.rest(first + 1)
    continulet.__init__(target, lambda self: none_for_nothing(world.run_body(target.label, body, [self] + places, names)))
    return target


def none_for_nothing(value):
    return None if value == () else value


def switch(call):
    passed = none_for_nothing(call.argument(1)) if call.count > 1 else None
    return call.argument(0).switch(passed, to=call.option("to"))


def throw(call):
    return call.argument(0).throw(exception_of(call, 1), to=call.option("to"))


def make_generator(call):
    world, label, body = call.world, call.label, call.world.body(call.name(0))

    def run(genlet, *places):
        result = world.run_body(label, body, [Named("generator", genlet)] + list(places), {})
        return none_for_nothing(result)

    return Named(label, generator(run)(*call.rest(1)[0]))


def next_of(call):
    try:
        return next(call.argument(0).held)
    except StopIteration:
        return "end"


def add_verbs(world):
    world.namers.append(lambda raised: "continulet_error" if isinstance(raised, (error, TypeError)) else None)
    world.verbs.update({
        "continulet": lambda call: init(call, label_of(call), 0),
        "empty": label_of,
        "init": lambda call: init(call, call.argument(0), 1) and None,
        "switch": switch, "throw": throw,
        "pending": lambda call: call.argument(0).is_pending(),
        "permute": lambda call: permute(*call.rest(0)[0]),
        "generator": make_generator, "next": next_of,
        "give": lambda call: call.argument(0).held.switch(call.argument(1)),
    })
