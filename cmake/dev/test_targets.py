#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `./dev test` has to build, and to install, for the tests that ctest's options choose.

GoogleTest's programs name their tests only once they are built, so the names are read from their sources as well. Where
a source leaves the end of a name open (a parameter, a type), every word of the file and every small number is tried; and
if nothing at all is found, every program with such names is taken, because the end may be computed. A script's needs are the files below the
build folder that its command names; one that names the whole build folder needs all of it.

Usage: test_targets.py BUILD_FOLDER CTEST_OPTION...
Prints a line each: `all` or `target NAME`, and `label NAME` for each label of a chosen test; nothing if no test can have such a name."""
import json
import pathlib
import re
import subprocess
import sys

PROGRAMS = "programs"  # The server starts the worker, and a test that talks to it does so with the CLI.
NUMBERED = 64  # Instances of a parameterised test without names are numbered from 0.
TEST = re.compile(r"^\s*(TEST|TEST_F|TEST_P|TYPED_TEST|TYPED_TEST_P)\(\s*(\w+)\s*,\s*(\w+)\s*\)", re.MULTILINE)
INSTANCES = re.compile(r"\bINSTANTIATE_(?:TEST|TYPED_TEST)_SUITE_P\(\s*(\w+)\s*,\s*(\w+)")
NOT_BUILT = "_NOT_BUILT"


def open_names_in(text):
    """How the names begin whose end, a parameter or a type, is not in the source."""
    prefixes = {}
    for prefix, suite in INSTANCES.findall(text):
        prefixes.setdefault(suite, []).append(f"{prefix}/")
    for kind, suite, test in TEST.findall(text):
        if kind == "TEST_P":
            for prefix in prefixes.get(suite, [""]):
                yield f"{prefix}{suite}.{test}/"
        elif kind.startswith("TYPED_TEST"):
            for prefix in prefixes.get(suite, [""]):
                yield f"{prefix}{suite}.{test}<"


def names_in(text):
    """The names that GoogleTest may give the tests of a source file."""
    for kind, suite, test in TEST.findall(text):
        if kind in ("TEST", "TEST_F"):
            yield f"{suite}.{test}"
    beginnings = list(open_names_in(text))
    if beginnings:
        ends = sorted(set(re.findall(r"\w+", text)) | {str(number) for number in range(NUMBERED)})
        for beginning in beginnings:
            for end in ends:
                yield beginning + end + (">" if beginning.endswith("<") else "")


class Choice:
    """ctest's options that choose tests by name or label. Raises re.error for what Python reads in another way."""

    def __init__(self, options):
        self.names, self.names_not, self.labels, self.labels_not = [], [], [], []
        self.narrows = True
        lists = {"-R": self.names, "--tests-regex": self.names, "-E": self.names_not, "--exclude-regex": self.names_not,
                 "-L": self.labels, "--label-regex": self.labels, "-LE": self.labels_not,
                 "--label-exclude": self.labels_not}
        position = 0
        while position < len(options):
            if options[position] in lists:
                position += 1
                lists[options[position - 1]].append(re.compile(options[position]))
            elif options[position] in ("-I", "--rerun-failed"):
                self.narrows = False  # by number, or by what is known only to ctest
            position += 1

    def takes(self, name, labels):
        # Of several expressions for names ctest takes the last; a test must have a label for each one of labels.
        return (all(expression.search(name) for expression in self.names[-1:])
                and not any(expression.search(name) for expression in self.names_not[-1:])
                and all(any(expression.search(label) for label in labels) for expression in self.labels)
                and not (self.labels_not and all(any(expression.search(label) for label in labels)
                                                 for expression in self.labels_not)))


def needs_of_command(words, build):
    """Targets that a command of ctest's needs; None for everything."""
    targets = set()
    for word in words:
        for path in re.findall(re.escape(str(build)) + r"[^\s:;,]*", word):
            inside = pathlib.Path(path).relative_to(build)
            if inside == pathlib.Path("."):
                return None
            if inside.parts[0] == "bin":
                targets.add(PROGRAMS)
            elif inside.parts[0] == "tests" and len(inside.parts) == 2:
                targets.add(inside.name)
    return targets


def properties_of(test):
    return {each["name"]: each["value"] for each in test.get("properties", [])}


def wanted(build, tests, programs, choice):
    """Targets (None: everything) and labels of the chosen ones among `tests`, as ctest tells them, and among the tests
    in the sources of `programs`, which are (name, labels, source files)."""
    targets, labels = set(), set()
    for test in tests:
        name, properties = test["name"], properties_of(test)
        if not choice.takes(name, properties.get("LABELS", [])):
            continue
        labels.update(properties.get("LABELS", []))
        words = test.get("command", []) + properties.get("ENVIRONMENT", [])
        needs = {name[:-len(NOT_BUILT)]} if name.endswith(NOT_BUILT) else needs_of_command(words, build)
        if needs is None or targets is None:
            targets = None
        else:
            targets |= needs
    found, computed = set(), set()
    for name, its_labels, sources in programs:
        texts = [source.read_text(encoding="utf-8") for source in sources]
        if any(choice.takes(f"{name}.{test}", its_labels) for text in texts for test in names_in(text)):
            found.add(f"test_{name}")
            labels.update(its_labels)
        if any(True for text in texts for _ in open_names_in(text)):
            computed.add(f"test_{name}")
    if targets is None:
        return None, labels
    return targets | found or (set() if labels else computed), labels


def read_programs(file):
    """The lines of tests/programs.txt, which cmake/GroveComponent.cmake writes: name|label,label|source,source."""
    for line in file.read_text(encoding="utf-8").splitlines():
        name, labels, sources = line.split("|")
        yield name, labels.split(","), [pathlib.Path(source) for source in sources.split(",")]


def main():
    build, options = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:]
    listed = subprocess.run(["ctest", "--test-dir", build, "--show-only=json-v1"], text=True, capture_output=True,
                            check=False, stdin=subprocess.DEVNULL)
    try:
        choice = Choice(options)
        targets, labels = wanted(build, json.loads(listed.stdout)["tests"],
                                 read_programs(build / "tests/programs.txt"), choice)
    except (re.error, ValueError, OSError) as error:
        sys.exit(f"test_targets: {error}")
    if targets is None or not choice.narrows:
        print("all")
    else:
        for target in sorted(targets):
            print(f"target {target}")
    for label in sorted(labels):
        print(f"label {label}")


if __name__ == "__main__":
    main()
