# SPDX-License-Identifier: Apache-2.0
"""Runs scenarios with Grove and with the oracles, and judges the transcripts."""
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "oracle"))

from language import read_scenarios  # noqa: E402

LIMIT = 120  # seconds for one file, on a machine that is busy with other tests


class Oracle:
    def __init__(self, name, title, package, command, check):
        self.name, self.title, self.package, self.command, self.check = name, title, package, command, check
        self.fault = None

    def available(self):
        """Why it cannot be asked; nothing if it can."""
        if self.fault is None:
            self.fault = ""
            try:
                done = subprocess.run([*self.command, "-c", self.check], capture_output=True, text=True, timeout=LIMIT,
                                      check=False)
                if done.returncode:
                    self.fault = done.stderr.strip().splitlines()[-1]
            except OSError as error:
                self.fault = str(error)
        return self.fault and f"the oracle {self.title} is missing (Debian package {self.package}): {self.fault}"


# Debian's own interpreter: another python3 may come first in the path and has not these modules.
CPYTHON = ["/usr/bin/python3", "-E", "-s", "-B"]
PYPY = ["/usr/bin/pypy3", "-E", "-s", "-B"]
ORACLES = {
    "greenlet": [Oracle("greenlet", "greenlet", "python3-greenlet", CPYTHON, "import greenlet"),
                 Oracle("pypy", "PyPy's greenlet", "pypy3", PYPY, "import greenlet")],
    "continulet": [Oracle("pypy", "PyPy's _continuation", "pypy3", PYPY, "import _continuation")],
    "gevent": [Oracle("gevent", "gevent", "python3-gevent", CPYTHON, "import gevent")],
}


# Grove itself, where greenlets share stacks: it has to behave in the same way.
SLICED = Oracle("sliced", "Grove on sliced stacks", "", [], "")


def transcripts(command, file, names=()):
    """Scenario -> lines. The end of a run that fails is the last line of its last scenario."""
    try:
        done = subprocess.run([*map(str, command), str(file), *names], capture_output=True, text=True, timeout=LIMIT, check=False)
        output, end = done.stdout, f"ended with {done.returncode}: {done.stderr.strip()}" if done.returncode else ""
    except subprocess.TimeoutExpired as late:
        output, end = (late.stdout or b"").decode(), f"no end after {LIMIT} s"
    found, lines = {}, []
    for line in output.splitlines():
        if line.startswith("scenario "):
            lines = found.setdefault(line[len("scenario "):], [])
        else:
            lines.append(line[2:].rstrip())
    if end:
        lines.append(end)
        found.setdefault("", lines)
    return found


def beside(left_title, left, right_title, right):
    width = max(map(len, [left_title, *left]), default=0)
    rows = [(left_title, " ", right_title), ("-" * width, " ", "-" * len(right_title))]
    for at in range(max(len(left), len(right))):
        one = left[at] if at < len(left) else ""
        other = right[at] if at < len(right) else ""
        rows.append((one, " " if one == other else "|", other))
    return "\n".join(f"      {one:<{width}} {mark} {other}".rstrip() for one, mark, other in rows)


class Result:
    """What became of a scenario: `agrees`, `differs` (as intended), or `fails`."""

    def __init__(self, scenario, file):
        self.scenario, self.file = scenario, file
        self.outcome, self.text = "agrees", ""
        self.grove, self.others = [], {}

    def fail(self, text):
        self.outcome = "fails"
        self.text += text + "\n"


def judge(result, asked):
    scenario, grove = result.scenario, result.grove
    if not grove or any(line.startswith("fault: ") for lines in [grove, *result.others.values()] for line in lines):
        result.fail("the scenario or an interpreter is at fault:\n" + "\n".join(
            beside("Grove", grove, title, lines) for title, lines in result.others.items()))
        return
    sliced = result.others.pop(SLICED.title, grove)
    if sliced != grove:
        result.fail("stacks make a difference:\n" + beside("Grove", grove, SLICED.title, sliced))
    differing = {title: lines for title, lines in result.others.items() if lines != grove}
    if scenario.difference:
        reason, intended = scenario.difference
        if grove != intended:
            result.fail("Grove does not do what is intended here:\n" + beside("intended", intended, "Grove", grove))
        elif asked and not differing:
            result.fail(f"is no difference any more: {reason}")
        if result.outcome == "agrees":
            result.outcome = "differs"
        return
    for title, lines in differing.items():
        result.fail("they differ:\n" + beside("Grove", grove, title, lines))


def run_file(grove, file):
    """The results of all scenarios of a file, and what is wrong with the file or the oracles."""
    scenarios = read_scenarios(file)
    faults = []
    oracles = ORACLES[scenarios[0].system]
    faults += [fault for fault in (oracle.available() for oracle in oracles) if fault]
    ours = transcripts([grove], file)
    theirs = []
    if scenarios[0].system == "greenlet":
        theirs.append((SLICED, transcripts([grove, "--sliced"], file)))
    for oracle in oracles:
        names = [scenario.name for scenario in scenarios if oracle.name not in scenario.without]
        if names and not oracle.available():
            theirs.append((oracle, transcripts([*oracle.command, HERE / "oracle" / "oracle.py"], file, names)))
    for title, found in [("Grove", ours)] + [(oracle.title, found) for oracle, found in theirs]:
        if "" in found:
            faults.append(f"{title} {found[''][-1]}")
    results = []
    for scenario in scenarios:
        result = Result(scenario, file)
        result.grove = ours.get(scenario.name, [])
        asked = [oracle for oracle, _ in theirs if oracle.name not in scenario.without]
        result.others = {oracle.title: found.get(scenario.name, []) for oracle, found in theirs if oracle in asked}
        if len(scenario.without) == len(oracles):
            result.fail("no oracle is asked")
        judge(result, [oracle for oracle in asked if oracle is not SLICED])
        results.append(result)
    return results, faults
