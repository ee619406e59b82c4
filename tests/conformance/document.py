#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/conformance.md from what a run of all scenarios gives and from upstream.txt: document.py --grove PROGRAM

With --check it fails if the file on the disk says anything else.
"""
import argparse
import itertools
import sys

import suite
import upstream

FILE = upstream.ROOT / "docs" / "conformance.md"
TITLES = {"greenlet": "greenlet", "continulet": "PyPy's `_continuation`", "gevent": "gevent"}
INTRODUCTION = """# Conformance

Grove's greenlets, continulets and hub descend from Python's greenlet, PyPy's continulet and gevent. This page says how
far they behave as those do. It is written by `tests/conformance/document.py` from a run of the suite, and a test fails
if it says anything else. The suite itself is described in [its README](../tests/conformance/README.md); it runs with
`./dev test -L conformance`.

A scenario is a small program, written once, that runs with Grove and with the original (the oracle); the transcripts of
what each of its bodies sees are compared line by line. Scenarios of greenlets run with Grove twice: on stacks of their
own and on sliced ones. `conformance.random_programs` does the same with programs that are made at random, and
`test_random_switching` lets 50 greenlets make 50,000 random switches against a model.
"""


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows]) + "\n"


def summary(results, known):
    rows = []
    for system, title in TITLES.items():
        mine = [result for result in results if result.scenario.system == system]
        kinds = [entry.kind for entry in known.entries if entry.system == system]
        rows.append((title, len(mine), sum(result.outcome == "agrees" for result in mine),
                     sum(result.outcome == "differs" for result in mine),
                     sum(result.outcome == "fails" for result in mine), len(kinds), kinds.count("scenario"),
                     kinds.count("test"), kinds.count("reason")))
    total = ["all"] + [sum(row[at] for row in rows) for at in range(1, len(rows[0]))]
    return "\n## Summary\n\n" + table(
        ("system", "scenarios", "agree", "differ as intended", "fail", "tests of the original", "behaviour in a scenario",
         "covered by another test", "no meaning here"), rows + [total])


def differences(results):
    parts = ["\n## Intended differences\n"]
    for result in results:
        if result.outcome == "differs":
            title, lines = next((title, lines) for title, lines in result.others.items() if lines != result.grove)
            parts.append(f"\n**{name_of(result)}**: {result.scenario.difference[0]}.\n\n```text\n"
                         + "\n".join(line[6:] for line in suite.beside("Grove", result.grove, title, lines).splitlines())
                         + "\n```\n")
    parts.append("\nMore, which no transcript shows, are in the [decisions](decisions.md).\n")
    return "".join(parts)


def name_of(result):
    return f"`{result.file.parent.name}.{result.file.stem}.{result.scenario.name}`"


def left_out(results):
    """Scenarios that one of their oracles is not asked."""
    reasons = {}
    for result in results:
        for oracle, reason in result.scenario.without.items():
            reasons.setdefault((oracle, reason), []).append(result)
    rows = [(f"{oracle}: {reason}", ", ".join(map(name_of, found))) for (oracle, reason), found in sorted(
        reasons.items())]
    return ("\n## Oracles left out\n\nGreenlets have two oracles, CPython's greenlet and PyPy's. Where PyPy's differs "
            "from the original only the\noriginal is asked.\n\n" + table(("oracle and reason", "scenarios"), rows))


def reasons_table(known):
    rows = [(f"`{code}`", text, sum(entry.target == code and entry.kind == "reason" for entry in known.entries))
            for code, text in sorted(known.reasons.items())]
    return "\n## Reasons\n\nWhy a test of an original means nothing here.\n\n" + table(("reason", "", "tests"), rows)


def every_test(known, outcomes):
    parts = ["\n## Every test of the originals\n\nA test that is called `-` there has no name of its own but `test`.\n"]
    for system, title in TITLES.items():
        parts.append(f"\n### {title}\n\nTests in {known.sources[system].replace(' ', ', ')}.\n\n")
        rows = []
        entries = [entry for entry in known.entries if entry.system == system]
        for (file, _), group in itertools.groupby(entries, key=lambda entry: (entry.file, entry.line)):
            group = list(group)
            kind, target = group[0].kind, group[0].target
            where = {"scenario": f"`{target}`: {outcomes.get(target, 'missing')}", "test": f"test `{target}`",
                     "reason": f"no meaning: {target}"}[kind]
            rows.append((file, group[0].group, " ".join(entry.name for entry in group), where))
        parts.append(table(("file", "class", "tests", "here"), rows))
    return "".join(parts)


def document(grove):
    results, faults = [], []
    for file in upstream.scenario_files():
        found, wrong = suite.run_file(grove, file)
        results += found
        faults += wrong
    known = upstream.Upstream()
    outcomes = {name_of(result).strip("`"): {"agrees": "agrees", "differs": "differs as intended",
                                             "fails": "FAILS"}[result.outcome] for result in results}
    text = "".join((INTRODUCTION, summary(results, known), differences(results), left_out(results),
                    reasons_table(known), every_test(known, outcomes)))
    return text, faults


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--grove", required=True)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    text, faults = document(arguments.grove)
    for fault in faults:
        print(fault)
    if not arguments.check:
        FILE.write_text(text, encoding="utf-8")
    elif not FILE.exists() or FILE.read_text(encoding="utf-8") != text:
        print(f"{FILE.relative_to(upstream.ROOT)} is not what this run says; write it with document.py --grove PROGRAM")
        return 1
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
