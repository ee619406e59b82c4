# SPDX-License-Identifier: Apache-2.0
"""Runs the steps of a scenario in Python. The verbs are those of ../interpreter, for the systems that Grove is compared
with.

What a step holds may be what keeps a greenlet alive: nothing here keeps a value longer than the step needs it, and
exceptions lose their tracebacks, which hold frames, as soon as they are caught.
"""
from language import Fault

NEXT, RETURNED, BROKE = "next", "returned", "broke"


class Error(Exception):
    """The exceptions of the language itself."""


class ErrorA(Error):
    kind = "error_a"


class ErrorB(Error):
    kind = "error_b"


class Misfit(Error):
    kind = "misfit"


class Named:
    """What the verbs of a system keep in a variable."""

    def __init__(self, label, held=None):
        self.label, self.held = label, held


class Frame:
    """One activation of a body."""

    def __init__(self, world, who):
        self.world, self.who, self.locals, self.result = world, who, {}, ()


class Call:
    """A step on its way to a verb: its words are evaluated when the verb asks for them."""

    def __init__(self, frame, step, first):
        self.frame, self.world, self.step, self.first = frame, frame.world, step, first

    @property
    def count(self):
        return len(self.step.words) - self.first

    def name(self, number):
        if number >= self.count:
            raise Fault("line %d: too few words" % self.step.line)
        return self.step.words[self.first + number].text

    def argument(self, number):
        self.name(number)
        return self.world.evaluate(self.frame, self.step.words[self.first + number])

    def rest(self, number):
        evaluate, frame = self.world.evaluate, self.frame
        return ([evaluate(frame, word) for word in self.step.words[self.first + number:]],
                {name: evaluate(frame, word) for name, word in self.step.named})

    def option(self, name, otherwise=None):
        for given, word in self.step.named:
            if given == name:
                return self.world.evaluate(self.frame, word)
        return otherwise

    def text(self, number, otherwise):
        return self.name(number) if number < self.count else otherwise

    @property
    def label(self):
        return self.step.into or ""


def pack(places, names):
    """Values as one: nothing, the value itself, a tuple, a dict, or a pair of both."""
    if not names:
        return tuple(places) if len(places) != 1 else places[0]
    return (tuple(places), dict(names)) if places else dict(names)


class World:
    """A scenario under way."""

    def __init__(self, scenario, transcript):
        self.scenario, self.transcript = scenario, transcript
        self.globals, self.verbs, self.scopes = {}, {}, {}
        self.makers = {kind.kind: kind for kind in (ErrorA, ErrorB, Misfit)}
        self.namers = []
        self.recording = True
        self.signals, self.threads = set(), {}

    def print(self, line):
        if self.recording:
            self.transcript.append(line)

    def text_of(self, value):
        if value is None:
            return "()"
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, (int, str)):
            return str(value)
        if isinstance(value, tuple):
            return "(" + ", ".join(map(self.text_of, value)) + ")"
        if isinstance(value, dict):
            return "{" + ", ".join("%s: %s" % (name, self.text_of(held)) for name, held in value.items()) + "}"
        if isinstance(value, BaseException):
            text = self.said(value)[1]
            return self.name_of(value) + ("('%s')" % text if text else "")
        return value.label

    def said(self, error):
        """The name of an exception's class, and its text."""
        if isinstance(error, Error):
            return error.kind, str(error)
        for namer in self.namers:
            name = namer(error)
            if name:
                return name if isinstance(name, tuple) else (name, "")
        raise Fault("an exception without a name: %r" % error)

    def name_of(self, error):
        return self.said(error)[0]

    def catches(self, clause, error):
        if isinstance(error, Fault):
            return False
        return clause == "any" or self.name_of(error) == clause or clause == "error" and isinstance(error, Exception)

    def body(self, name):
        if name not in self.scenario.bodies:
            raise Fault("no body " + name)
        return self.scenario.bodies[name]

    def evaluate(self, frame, word):
        if not word.is_name:
            return word.constant
        name = word.text
        if name in ("nothing", "true", "false"):
            return {"nothing": (), "true": True, "false": False}[name]
        if name in frame.locals:
            return frame.locals[name]
        if name in self.globals:
            return self.globals[name]
        raise Fault("no variable " + name)

    def assign(self, frame, name, value):
        (frame.locals if name in frame.locals else self.globals)[name] = value

    def run_body(self, who, body, places, names):
        frame = Frame(self, who)
        any_number = body.parameters[-1:] == ["..."]
        parameters = body.parameters[:-1] if any_number else body.parameters
        if len(places) > len(parameters) and not any_number:
            raise Misfit()
        if any_number:
            frame.locals["rest"] = pack(places[len(parameters):], {})
        frame.locals.update(zip(parameters, places))
        if not any_number and not set(names) <= set(parameters):
            raise Misfit()
        frame.locals.update({name: value for name, value in names.items() if name in parameters})
        if not set(parameters) <= set(frame.locals):
            raise Misfit()
        places = names = None
        self.run(frame, body.steps)
        return frame.result

    def run_main(self, who):
        try:
            self.run(Frame(self, who), self.scenario.steps)
        except Fault:
            raise
        except BaseException as error:
            self.print("%s ended with %s" % (who, self.text_of(error)))

    def run(self, frame, steps):
        at = 0
        while at < len(steps):
            if steps[at].verb == "try":
                end = at + 1
                while end < len(steps) and steps[end].verb in ("catch", "finally"):
                    end += 1
                left = self.run_try(frame, steps[at], steps[at + 1:end])
                at = end
            else:
                left = self.run_step(frame, steps[at])
                at += 1
            if left != NEXT:
                return left
        return NEXT

    def run_try(self, frame, guarded, clauses):
        last = clauses[-1] if clauses and clauses[-1].verb == "finally" else None
        if last is None:
            return self.run_guarded(frame, guarded, clauses)
        try:
            left = self.run_guarded(frame, guarded, clauses[:-1])
        except Fault:
            raise
        except BaseException:
            instead = self.run(frame, last.block)
            if instead != NEXT:
                return instead
            raise
        instead = self.run(frame, last.block)
        return instead if instead != NEXT else left

    def run_guarded(self, frame, guarded, clauses):
        try:
            return self.run(frame, guarded.block)
        except Fault:
            raise
        except BaseException as error:
            error.__traceback__ = error.__context__ = None
            for clause in clauses:
                if self.catches(clause.words[1].text, error):
                    if len(clause.words) > 3:  # catch CLASS as NAME
                        self.assign(frame, clause.words[3].text, error)
                    error = None
                    return self.run(frame, clause.block)
            raise

    def outcome(self, frame, step, first):
        """What a step's words from `first` on come to: the result of a verb, or values."""
        if first < len(step.words) and step.words[first].is_name and step.words[first].text in self.verbs:
            return self.verbs[step.words[first].text](Call(frame, step, first + 1))
        return pack(*Call(frame, step, first).rest(0))

    def run_step(self, frame, step):
        if step.verb in ("repeat", "forever"):
            times = Call(frame, step, 1).argument(0) if step.verb == "repeat" else -1
            while times:
                left = self.run(frame, step.block)
                if left == BROKE:
                    break
                if left != NEXT:
                    return left
                times -= 1
        elif step.verb in ("if", "unless"):
            if bool(self.outcome(frame, step, 1)) == (step.verb == "if"):
                return self.run(frame, step.block)
        elif step.verb == "break":
            return BROKE
        elif step.verb == "return":
            frame.result = self.outcome(frame, step, 1)
            return RETURNED
        elif step.verb in self.scopes:
            return self.scopes[step.verb](Call(frame, step, 1))
        elif step.verb == "local":
            frame.locals[step.words[1].text] = ()
        elif step.verb == "print":
            self.print_values(frame, step)
        elif step.into:
            self.assign(frame, step.into, self.outcome(frame, step, 0))
        elif step.verb in self.verbs:
            self.outcome(frame, step, 0)
        else:
            raise Fault("line %d: unknown verb %s" % (step.line, step.verb))
        return NEXT

    def print_values(self, frame, step):
        if len(step.words) > 1 and step.words[1].is_name and step.words[1].text in self.verbs:
            shown = [self.outcome(frame, step, 1)]
        else:
            shown = Call(frame, step, 1).rest(0)[0]
        line = " ".join(map(self.text_of, shown))
        shown = None
        self.print("%s: %s" % (frame.who, line or "()"))
