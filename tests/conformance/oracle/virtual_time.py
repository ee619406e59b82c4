# SPDX-License-Identifier: Apache-2.0
"""A loop of gevent whose timers are due in virtual time: it moves when there is nothing else to do. So the order of a
scenario does not depend on how fast the machine is."""
import heapq
import itertools

from gevent.libev.corecext import loop


class Timer:
    """What gevent expects of a timer, without libev's."""

    def __init__(self, of, after, priority):
        self.of, self.after, self.priority = of, after, priority
        self.active, self.pending, self.call = False, False, None

    def start(self, callback, *args, update=None):
        self.active, self.call = True, (callback, args)
        self.of.arm(self)

    def stop(self):
        self.active, self.call = False, None

    close = stop

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stop()


class VirtualLoop(loop):
    def __init__(self):
        super().__init__(default=False)
        self.virtual_now = 0
        self.armed, self.numbers = [], itertools.count()
        self.nothing_else = self.idle()

    def timer(self, after, repeat=0.0, ref=True, priority=None):
        assert not repeat
        return Timer(self, after, priority or 0)

    def arm(self, timer):
        heapq.heappush(self.armed, (self.virtual_now + timer.after, -timer.priority, next(self.numbers), timer))
        self.nothing_else.start(self.advance)

    def advance(self):
        while self.armed and not self.armed[0][-1].active:
            heapq.heappop(self.armed)
        due = self.armed[0][0] if self.armed else None
        if due is not None:
            self.virtual_now = max(due, self.virtual_now)
        while self.armed and self.armed[0][0] <= self.virtual_now:
            timer = heapq.heappop(self.armed)[-1]
            if timer.active:
                callback, args = timer.call
                timer.stop()
                try:
                    callback(*args)
                except BaseException as error:
                    self.handle_error(None, type(error), error, error.__traceback__)
        if not self.armed:
            self.nothing_else.stop()
