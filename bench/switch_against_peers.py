#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Greenlets beside other stackful units, in turn, in one run: switches, memory, spawn and join, a million asleep.

Every figure is a process of its own on one core; rounds go through all of them one after the other. Printed are
medians, their spread, and the ratio to the first line of the table, taken round by round.
"""
import argparse
import pathlib
import subprocess

import side_by_side
from side_by_side import command_or_reason, table

OWN = ("jump_fcontext", "greenlet", "continulet", "typed", "sliced", "boost_context", "hub", "hub_sliced", "boost_fiber")


def python_program():
    command = ["/usr/bin/python3", str(side_by_side.PEERS / "greenlets.py")]
    if subprocess.run([command[0], "-c", "import greenlet"], stderr=subprocess.DEVNULL).returncode != 0:
        raise side_by_side.Missing("python3-greenlet is not installed")
    return command


def programs(probe, room):
    """How each kind of unit is started, or why it cannot be."""
    room.mkdir(parents=True, exist_ok=True)
    return {
        **{kind: [probe, kind] for kind in OWN},
        "goroutine": command_or_reason(side_by_side.go_program, "goroutines", room),
        # Room for a million processes and more.
        "erlang": command_or_reason(side_by_side.erlang_program, "processes", room, "+P", "2000000"),
        "python": command_or_reason(python_program),
    }


RESUMED = {"jump_fcontext": "Boost.Context jump_fcontext, raw", "greenlet": "greenlet", "continulet": "continulet",
           "typed": "greenlet, a number each way", "sliced": "greenlet, sliced", "boost_context": "boost::context::fiber", "python": "Python greenlet"}
AT_RANDOM = {kind: RESUMED[kind] for kind in ("jump_fcontext", "greenlet", "continulet", "boost_context")}
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
    commands = programs(options.probe, options.room)
    core = side_by_side.one_core()
    rounds, many = options.rounds, options.million

    def measure(kinds, arguments, times):
        return side_by_side.measure({kind: commands[kind] for kind in kinds}, arguments, times, core)

    def wanted(part):
        return options.only in (None, part)

    if wanted("switch"):
        for units, switches in ((1, 20_000_000), (1_000, 10_000_000), (10_000, 10_000_000), (100_000, 10_000_000)):
            arguments = ["ring", str(units), str(switches)]
            found = measure([kind for kind in RESUMED if kind != "python"], arguments, rounds)
            found |= measure(["python"], ["ring", str(units), "2000000"], rounds)
            table(f"One switch, one direction; {units:,} visited in turn", "ns", RESUMED, found)
        found = measure(AT_RANDOM, ["random", "100000", "10000000"], rounds)
        table("One switch, one direction; 100,000 visited in a random order", "ns", AT_RANDOM, found)
        for units, switches in ((2, 5_000_000), (1_000, 5_000_000), (100_000, 5_000_000)):
            found = measure(SCHEDULED, ["ring", str(units), str(switches)], rounds)
            table(f"One yield to the next; {units:,} take turns", "ns", SCHEDULED, found)
    if wanted("memory"):
        for units in (min(100_000, many), many):
            found = measure(REMEMBERED, ["memory", str(units)], max(1, rounds // 2))
            table(f"Memory of one that is suspended, of {units:,}", "bytes, page tables included", REMEMBERED, found)
    if wanted("spawn"):
        found = measure(SPAWNED, ["spawn", "1000000"], rounds)
        table("Spawned and joined", "thousands a second", SPAWNED, found, scale=1e-3)
    if wanted("asleep"):
        found = measure(ASLEEP, ["asleep", str(many)], max(1, rounds // 2))
        table(f"{many:,} asleep at once until all have woken", "seconds, of which at least the time asleep", ASLEEP, found)
        table(f"Memory of one of {many:,} that sleep", "bytes", ASLEEP, found, column=1)


if __name__ == "__main__":
    main()
