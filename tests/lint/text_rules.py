#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rules that a line of text can break. Usage: text_rules.py [RULE...]; all of them when none is named.

A line that has a good reason says it in a comment at its end: `lint-allow: RULE, because ...`.
"""
import pathlib
import re
import sys

from tree import CPP, Tree, finish

CODE = CPP + (".proto", ".cmake", "CMakeLists.txt", ".py", ".sh", ".mjs", "Dockerfile")
SIZES = {".h": 300, ".cc": 500, ".py": 500, ".sh": 500}


def spdx(tree):
    """Every file of code opens with its licence."""
    for path in sorted(set(tree.files(*CODE)) | set(tree.scripts())):
        if not any("SPDX-License-Identifier: Apache-2.0" in line for line in tree.text(path).splitlines()[:3]):
            yield path, 1, "the first lines have no `SPDX-License-Identifier: Apache-2.0`"


def lines_of(tree, paths):
    for path in paths:
        for number, line in enumerate(tree.text(path).splitlines(), 1):
            yield path, number, line


def absolute_paths(tree):
    """Nothing names a folder of the machine that it was written on."""
    here = tree.root.as_posix()
    elsewhere = re.compile(r"(?<![\w.$}])/(home|Users|work)/[a-z]")  # lint-allow: absolute_paths, because it is the rule
    for path, number, line in lines_of(tree, tree.files()):
        if elsewhere.search(line) or (len(here) > 1 and f"{here}/" in line):
            yield path, number, "an absolute path of somebody's machine"


def sleeps(tree):
    """A test waits for what it needs, and never for a guess; a script may pause inside a loop that polls."""
    # grove::sleep_for is none of them: it waits in the hub's time, which a test moves itself.
    cpp = re.compile(r"\bthis_thread\b.*\bsleep_|\b(usleep|nanosleep)\s*\(|[^\w:.>]::sleep\s*\(")
    script = re.compile(r"\btime\.sleep\(|^\s*sleep\s+[\d.]|[;&|]\s*sleep\s+[\d.]")
    polls = re.compile(r"\b(while|until|for)\b")
    before = []
    for path, number, line in lines_of(tree, tree.files(".cc", ".h", ".py", ".sh", below=["tests"])):
        before = (before if number > 1 else [])[-9:] + [line]
        if path.suffix in CPP and cpp.search(line):
            yield path, number, "a test that sleeps is a guess about time"
        elif path.suffix not in CPP and script.search(line) and not any(map(polls.search, before)):
            yield path, number, "a test that sleeps is a guess about time; poll with a deadline"


def fixed_ports(tree):
    """A test lets the system choose its ports, so that two runs at once do not meet."""
    opens = re.compile(r"listen|bind|connect|endpoint|--admin|--server|GROVE_SERVER|published?\b", re.IGNORECASE)
    port = re.compile(r"(127\.0\.0\.1|localhost|0\.0\.0\.0|\[::1?\]):([1-9]\d{3,4})\b|(endpoint|bind)\S*\([^)]*\b[1-9]\d{3,4}\)")
    folders = ["tests/integration", "tests/crash", "tests/support", "tests/unit/client", "tests/unit/hub", "tests/unit/io",
               "tests/unit/gate"]
    # What tests/deploy reads in manifests are the ports of a container; its scripts start servers.
    paths = tree.files(".cc", ".h", ".py", ".sh", below=folders) + tree.files(".sh", below=["tests/deploy"])
    for path, number, line in lines_of(tree, paths):
        if opens.search(line) and port.search(line):
            yield path, number, "a fixed port in a test"


def left_open(tree):
    """What is not done is in the list of issues and not in the code."""
    mark = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
    for path, number, line in lines_of(tree, tree.files()):
        if mark.search(line):
            yield path, number, "something was left open"


def whitespace(tree):
    """No tabs but in Makefiles, no blanks at the end of a line, a newline at the end of a file."""
    for path in tree.files(*CODE, ".md", ".toml", ".yaml", ".json"):
        text = tree.text(path)
        for number, line in enumerate(text.split("\n"), 1):
            if line != line.rstrip() or "\t" in line:
                yield path, number, "a tab, or blanks at the end of the line"
        if text and not text.endswith("\n"):
            yield path, text.count("\n") + 1, "no newline at the end of the file"


def sizes(tree):
    """A file that grows past this has a second concept in it."""
    for path in tree.files(*SIZES):
        length = tree.text(path).count("\n")
        if length > SIZES[path.suffix]:
            yield path, 1, f"{length} lines; more than {SIZES[path.suffix]} hold a second concept"


def pragma_once(tree):
    """Every header can be included twice."""
    for path in tree.cpp(".h"):
        if "#pragma once" not in tree.text(path).splitlines():
            yield path, 1, "no `#pragma once`"


def time_sums(tree):
    """A clock's reading and a duration are added by time_after(), for which for ever is not in the past."""
    # A variable that a test or a manual clock moves is none: `now += step`.
    added = re.compile(r"\b(now|pass_time)_?(\(\))?\s*\+(?![+=])|\+\s*(\w+(\(\))?(\.|->|::))*(now|pass_time)\(\)")
    for path in tree.cpp():
        code = re.sub(r"//.*", "", tree.text(path))
        for found in added.finditer(code):
            yield path, code.count("\n", 0, found.end()) + 1, "a plain sum of time, which overflows; use time_after()"


RULES = {rule.__name__: rule for rule in (spdx, absolute_paths, sleeps, fixed_ports, left_open, whitespace, sizes,
                                          pragma_once, time_sums)}


def faults_of(tree, name):
    for path, number, what in RULES[name](tree):
        lines = tree.text(path).splitlines()
        line = lines[number - 1] if number <= len(lines) else ""
        if f"lint-allow: {name}, because" not in line:
            yield f"{pathlib.Path(path)}:{number}: {what} ({name})"


def main():
    names = sys.argv[1:] or list(RULES)
    unknown = [name for name in names if name not in RULES]
    if unknown:
        sys.exit(f"unknown rule: {unknown[0]} (there are: {', '.join(RULES)})")
    tree = Tree()
    finish("text rules " + " ".join(names), [fault for name in names for fault in faults_of(tree, name)],
           len(tree.files()))


if __name__ == "__main__":
    main()
