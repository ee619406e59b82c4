#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Greenlets beside other stackful units, in turn, in one run: switches, memory, spawn and join, a million asleep.

Every figure is a process of its own on one core; rounds go through all of them one after the other. Printed are
medians, their spread, and the ratio to the first line of the table, taken round by round.
"""
import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
MISSING = "not installed"


class Peers:
    """How each kind of unit is started; those that cannot be are named once and left out."""

    def __init__(self, probe, room):
        self.commands = {}
        self.probe = probe
        self.without = []
        room.mkdir(parents=True, exist_ok=True)
        self._go(room)
        self._erlang(room)
        self._python()

    def _go(self, room):
        if shutil.which("go") is None:
            return self.without.append("Go: golang-go is not installed")
        program = room / "goroutines"
        environment = dict(os.environ, GO111MODULE="off", GOCACHE=str(room / "go-cache"))
        subprocess.run(["go", "build", "-o", program, HERE / "peers" / "goroutines.go"], check=True, env=environment)
        self.commands["goroutine"] = [str(program)]

    def _erlang(self, room):
        if shutil.which("erlc") is None:
            return self.without.append("Erlang: erlang-base is not installed")
        subprocess.run(["erlc", "-o", room, HERE / "peers" / "processes.erl"], check=True)
        # One scheduler, room for a million processes and more, and nothing that is not asked for.
        self.commands["erlang"] = ["erl", "-noinput", "-boot", "start_clean", "+S", "1:1", "+SDio", "1", "+P", "2000000",
                                   "-pa", str(room), "-run", "processes", "main"]

    def _python(self):
        command = ["/usr/bin/python3", str(HERE / "peers" / "greenlets.py")]
        if subprocess.run([command[0], "-c", "import greenlet"], stderr=subprocess.DEVNULL).returncode != 0:
            return self.without.append("Python: python3-greenlet is not installed")
        self.commands["python"] = command

    def command(self, kind):
        if kind in ("goroutine", "erlang", "python"):
            return self.commands.get(kind)
        return [self.probe, kind]


def run(command, arguments, core):
    """The numbers that a measurement prints, or why there are none."""
    pinned = [*(["taskset", "-c", str(core)] if core is not None else []), *command, *arguments]
    done = subprocess.run(pinned, capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["nothing"])[-1]
        return f"ended with {done.returncode}: {said[:60]}"
    return [float(word) for word in done.stdout.split()]


def measure(peers, kinds, arguments, rounds, core):
    """For every kind a list of what each round gave, or a text that says why there is none."""
    found = {kind: [] for kind in kinds}
    for _ in range(rounds):
        for kind in kinds:
            if isinstance(found[kind], str):
                continue
            command = peers.command(kind)
            result = run(command, arguments, core) if command else MISSING
            if isinstance(result, str):
                found[kind] = result
            else:
                found[kind].append(result)
    return found


def table(title, unit, names, found, column=0, scale=1.0):
    print(f"\n{title}  ({unit})")
    first = next(iter(names))
    base = found[first]
    for kind, name in names.items():
        results = found[kind]
        if isinstance(results, str):
            print(f"  {name:<44} {results}")
            continue
        values = [result[column] * scale for result in results]
        line = f"  {name:<44} {statistics.median(values):>12,.1f}   {min(values):,.1f} to {max(values):,.1f}"
        if not isinstance(base, str):
            ratios = [mine[column] / its[column] for mine, its in zip(results, base)]
            line += f"   {statistics.median(ratios):>8.2f}x"
        print(line, flush=True)


RESUMED = {"jump_fcontext": "Boost.Context jump_fcontext, raw", "greenlet": "greenlet", "continulet": "continulet",
           "typed": "greenlet, a number each way", "sliced": "greenlet, sliced", "boost_context": "boost::context::fiber", "python": "Python greenlet"}
SCHEDULED = {"hub": "greenlet, yield() through the hub", "boost_fiber": "Boost.Fiber yield",
             "goroutine": "Go Gosched", "erlang": "Erlang yield", "greenlet": "greenlet, the bare switch"}
REMEMBERED = {"sliced": "greenlet, sliced", "greenlet": "greenlet", "continulet": "continulet",
              "boost_context": "boost::context::fiber", "goroutine": "goroutine", "erlang": "Erlang process",
              "python": "Python greenlet"}
SPAWNED = {"hub": "spawn() and join() in the hub", "greenlet": "greenlet made and run to its end",
           "boost_fiber": "Boost.Fiber", "goroutine": "goroutine", "erlang": "Erlang process",
           "python": "Python greenlet made and run to its end"}
ASLEEP = {"hub_sliced": "greenlet, sliced", "goroutine": "goroutine", "erlang": "Erlang process"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--probe", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--room", required=True, type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=5, help="how often everything is measured (default 5)")
    parser.add_argument("--only", choices=("switch", "memory", "spawn", "asleep"), help="one part")
    parser.add_argument("--million", type=int, default=1_000_000, help="what a million is (default 1000000)")
    options = parser.parse_args()
    if options.rounds < 1 or options.million < 1000:
        parser.error("--rounds must be at least 1 and --million at least 1000")
    peers = Peers(options.probe, options.room)
    for absent in peers.without:
        print(f"left out: {absent}", file=sys.stderr)
    core = min(os.sched_getaffinity(0)) if shutil.which("taskset") else None
    rounds, many = options.rounds, options.million

    def wanted(part):
        return options.only in (None, part)

    if wanted("switch"):
        for units, switches in ((1, 20_000_000), (1_000, 10_000_000), (100_000, 10_000_000)):
            arguments = ["ring", str(units), str(switches)]
            found = measure(peers, {k: v for k, v in RESUMED.items() if k != "python"}, arguments, rounds, core)
            found |= measure(peers, ["python"], ["ring", str(units), "2000000"], rounds, core)
            table(f"One switch, one direction; {units:,} visited in turn", "ns", RESUMED, found)
        for units, switches in ((2, 5_000_000), (1_000, 5_000_000), (100_000, 5_000_000)):
            found = measure(peers, SCHEDULED, ["ring", str(units), str(switches)], rounds, core)
            table(f"One yield to the next; {units:,} take turns", "ns", SCHEDULED, found)
    if wanted("memory"):
        for units in (min(100_000, many), many):
            found = measure(peers, REMEMBERED, ["memory", str(units)], max(1, rounds // 2), core)
            table(f"Memory of one that is suspended, of {units:,}", "bytes, page tables included", REMEMBERED, found)
    if wanted("spawn"):
        found = measure(peers, SPAWNED, ["spawn", "1000000"], rounds, core)
        table("Spawned and joined", "thousands a second", SPAWNED, found, scale=1e-3)
    if wanted("asleep"):
        found = measure(peers, ASLEEP, ["asleep", str(many)], max(1, rounds // 2), core)
        table(f"{many:,} asleep at once until all have woken", "seconds, of which at least the time asleep", ASLEEP, found)
        table(f"Memory of one of {many:,} that sleep", "bytes", ASLEEP, found, column=1)


if __name__ == "__main__":
    main()
