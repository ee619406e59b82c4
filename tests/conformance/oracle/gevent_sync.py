# SPDX-License-Identifier: Apache-2.0
"""gevent: events, results, locks, queues."""
from gevent import event, lock, queue
from gevent.local import local

from core_verbs import exception_of


def labelled(call, kind):
    """An object of that class, with the words of the call; named after the variable that it is made for."""
    return type(kind.__name__, (kind,), {"label": call.label})(*call.rest(0)[0])


def limit(call):
    return call.option("timeout")


def wait(call):
    return call.argument(0).wait(timeout=limit(call))


def acquire(call):
    return bool(call.argument(0).acquire(blocking=call.option("wait", True), timeout=limit(call)))


def make_queue(call):
    kind = {"fifo": queue.JoinableQueue, "lifo": queue.LifoQueue, "least": queue.PriorityQueue}[call.option("order",
                                                                                                           "fifo")]
    return labelled(call, kind)


def next_item(call):
    """The next item of a queue as a range, until end_queue."""
    try:
        return next(call.argument(0))
    except StopIteration:
        return "end"


def put(call):
    try:
        call.argument(0).put(call.argument(1), block=call.option("wait", True), timeout=limit(call))
        return True
    except queue.Full:
        return False


def take(call):
    try:
        return call.argument(0).get(block=call.option("wait", True), timeout=limit(call))
    except queue.Empty:
        return "empty"


def peek(call):
    try:
        return call.argument(0).peek(block=call.option("wait", True), timeout=limit(call))
    except queue.Empty:
        return "empty"


def set_(call):
    if isinstance(call.argument(0), event.AsyncResult):
        call.argument(0).set(call.argument(1))
    else:
        call.argument(0).set()


def put_own(call):
    setattr(call.argument(0), "kept", call.argument(1))


def add_verbs(world):
    world.verbs.update({
        "event": lambda call: labelled(call, event.Event),
        "async_result": lambda call: labelled(call, event.AsyncResult),
        "semaphore": lambda call: labelled(call, lock.Semaphore),
        "bounded_semaphore": lambda call: labelled(call, lock.BoundedSemaphore),
        "rlock": lambda call: labelled(call, lock.RLock),
        "queue": make_queue,
        "channel": lambda call: labelled(call, queue.Channel),
        "own": lambda call: local(),
        "set": set_,
        "set_error": lambda call: call.argument(0).set_exception(exception_of(call, 1)),
        "clear": lambda call: call.argument(0).clear(),
        "is_set": lambda call: call.argument(0).is_set(),
        "wait": wait, "acquire": acquire, "put": put, "take": take, "peek": peek,
        "release": lambda call: call.argument(0).release() and None,
        "permits": lambda call: call.argument(0).counter,
        "queue_size": lambda call: call.argument(0).qsize(),
        "empty": lambda call: call.argument(0).empty(),
        "queue_full": lambda call: call.argument(0).full(),
        "task_done": lambda call: call.argument(0).task_done(),
        "join_queue": lambda call: call.argument(0).join(timeout=limit(call)),
        "put_own": put_own,
        "next_item": next_item,
        "end_queue": lambda call: call.argument(0).put(StopIteration),
        "own_value": lambda call: getattr(call.argument(0), "kept", "unset"),
        "link_to": lambda call: call.argument(0).rawlink(call.argument(1)),
    })
