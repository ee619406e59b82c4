#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The list of the originals' tests and what became of each: upstream.py checks that it is complete and true.

Every file has as many names as it says, every scenario and every test that is named exists, every reason is written
down and used.
"""
import collections
import pathlib
import re
import sys

import suite

ROOT = suite.HERE.parents[1]
TOTALS = {"greenlet": 169, "continulet": 87, "gevent": 563}
TESTED = ("tests/unit/greenlet", "tests/unit/hub", "tests/unit/tasks", "tests/unit/io", "tests/crash", "tests/conformance")

Entry = collections.namedtuple("Entry", "line system file group name kind target")


class Upstream:
    def __init__(self, path=suite.HERE / "upstream.txt"):
        self.path = path
        self.reasons, self.sources, self.counts, self.entries, self.faults = {}, {}, {}, [], []
        system = file = None
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            word, _, rest = line.partition(" ")
            if not line or line.startswith("#"):
                continue
            if word == "reason":
                code, _, text = rest.partition(": ")
                self.reasons[code] = text
            elif word == "system":
                system, _, self.sources[system] = rest.partition(": ")
            elif word == "file":
                file, count = rest.split()
                self.counts[system, file] = (number, int(count))
            else:
                self.read_entry(number, line, system, file)

    def read_entry(self, number, line, system, file):
        found = re.fullmatch(r"(\w+): (.+) = (scenario|test|reason) (\S+)", line)
        if not found:
            self.faults.append(f"{self.path.name}:{number}: not understood: {line}")
            return
        group, names, kind, target = found.groups()
        self.entries += [Entry(number, system, file, group, name, kind, target) for name in names.split()]

    def check(self, scenarios, tests):
        yield from self.faults
        for (system, file), (number, count) in self.counts.items():
            have = sum(entry.system == system and entry.file == file for entry in self.entries)
            if have != count:
                yield f"{self.path.name}:{number}: {file} has {count} tests, {have} are listed"
        for system, total in TOTALS.items():
            have = sum(entry.system == system for entry in self.entries)
            if have != total:
                yield f"{self.path.name}: {system} has {total} tests, {have} are listed"
        known = {"scenario": scenarios, "test": tests, "reason": self.reasons}
        for entry in self.entries:
            if entry.target not in known[entry.kind]:
                yield f"{self.path.name}:{entry.line}: {entry.name}: there is no {entry.kind} {entry.target}"
        for code in sorted(set(self.reasons) - {entry.target for entry in self.entries if entry.kind == "reason"}):
            yield f"{self.path.name}: nothing has the reason {code}"


def all_tests():
    """The names of the GoogleTest tests that may be named."""
    found = set()
    for folder in TESTED:
        for path in (ROOT / folder).rglob("*.cc"):
            text = path.read_text(encoding="utf-8")
            found |= {f"{group}.{name}" for group, name in re.findall(r"^TEST(?:_F|_P)?\((\w+),\s*(\w+)\)", text, re.M)}
    return found


def scenario_files():
    return sorted((suite.HERE / "scenarios").glob("*/*.scenario"))


def all_scenarios():
    return {f"{file.parent.name}.{file.stem}.{scenario.name}" for file in scenario_files()
            for scenario in suite.read_scenarios(file)}


def main():
    upstream = Upstream(pathlib.Path(sys.argv[1])) if len(sys.argv) > 1 else Upstream()
    faults = list(upstream.check(all_scenarios(), all_tests()))
    for fault in faults:
        print(fault)
    print(f"{len(upstream.entries)} tests of the originals listed, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
