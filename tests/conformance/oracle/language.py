# SPDX-License-Identifier: Apache-2.0
"""The language of the scenarios, read from its text; README.md describes it. The reader for Grove is in C++."""
import pathlib
import re

DIFFERENCE = "intended difference: "


class Fault(Exception):
    """The scenario or its interpreter is wrong. No scenario can catch it."""


class Word:
    """A name, a number or a text."""

    def __init__(self, token, line):
        self.is_name = False
        self.text = token
        if token.startswith("'"):
            if len(token) < 2 or not token.endswith("'"):
                raise Fault("line %d: a text without end" % line)
            self.constant = self.text = token[1:-1]
        elif re.match(r"-?\d+$", token):
            self.constant = int(token)
        else:
            self.is_name = True


class Node:
    """A line and the lines below it."""

    def __init__(self, line, text):
        self.line, self.text, self.below = line, text, []


class Step:
    def __init__(self, node):
        self.line = node.line
        self.into = None
        tokens = re.findall(r"(?:'[^']*'|[^ '])+", node.text)
        if len(tokens) > 2 and tokens[1] == "=":
            self.into = tokens[0]
            tokens = tokens[2:]
        self.words, self.named = [], []
        for token in tokens:
            name, equals, given = token.partition("=")
            if not token.startswith("'") and equals and name:
                self.named.append((name, Word(given, node.line)))
            else:
                self.words.append(Word(token, node.line))
        self.block = [Step(each) for each in node.below]
        self.verb = self.words[0].text if self.words and self.words[0].is_name else ""


class Body:
    def __init__(self, node):
        self.name, *self.parameters = node.text.split()[1:]
        self.steps = [Step(each) for each in node.below]


class Scenario:
    def __init__(self, node, system):
        self.name = node.text[len("scenario "):]
        self.system = system
        self.line = node.line
        self.bodies, self.steps = {}, []
        self.difference = None  # (reason, lines that Grove gives)
        self.without = {}  # oracle -> reason
        for each in node.below:
            if each.text.startswith(DIFFERENCE):
                self.difference = (each.text[len(DIFFERENCE):], [below.text for below in each.below])
            elif each.text.startswith("not "):
                oracle, _, reason = each.text[len("not "):].partition(": ")
                self.without[oracle] = reason
            elif each.text.startswith("body "):
                body = Body(each)
                self.bodies[body.name] = body
            else:
                self.steps.append(Step(each))


def read_lines(text):
    root = Node(0, "")
    for line, content in enumerate(text.splitlines(), 1):
        stripped = content.lstrip(" ")
        if not stripped or stripped.startswith("#"):
            continue
        depth, odd = divmod(len(content) - len(stripped), 2)
        above = root
        for _ in range(depth):
            if not above.below or odd:
                raise Fault("line %d: indented too far" % line)
            above = above.below[-1]
        above.below.append(Node(line, stripped))
    return root.below


def read_scenarios(file):
    scenarios, system = [], None
    for node in read_lines(pathlib.Path(file).read_text(encoding="utf-8")):
        if node.text.startswith("system "):
            system = node.text[len("system "):]
        elif node.text.startswith("scenario "):
            scenarios.append(Scenario(node, system))
        else:
            raise Fault("line %d: neither a system nor a scenario" % node.line)
    return scenarios
