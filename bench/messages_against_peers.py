#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Messages between Grove's actors beside those of Erlang, CAF and Go, in turn, in one run.

Every figure is a process of its own on one core; rounds go through all systems one after the other. Printed are medians,
their spread, and how many times as many messages Grove handles, taken round by round. Each program counts what was
handled and fails when that is not all. A call is one message, with its answer.
"""
import argparse
import pathlib
import sys

import side_by_side
from side_by_side import command_or_reason

PATTERNS = {"calls": "Calls, one after the other, from one actor to another",
            "tells": "Tells from one actor to another, 128 at a time",
            "fan_out": "Tells from one actor to 1,000, one each at a time",
            "fan_in": "Tells from 1,000 actors to one, 128 at a time",
            "ring": "A message that 1,000 actors pass round",
            "big": "Calls among 200 actors, at random"}
GROVE, OTHER = "Grove", "Grove, the other build"


def programs(options):
    """How each system is started, or why it cannot be."""
    options.room.mkdir(parents=True, exist_ok=True)
    return {
        GROVE: [options.probe],
        **({OTHER: [options.against]} if options.against else {}),
        "Erlang, gen_server": command_or_reason(side_by_side.erlang_program, "gen_servers", options.room),
        "CAF, event-based actors": [options.caf],
        "Go, channels": command_or_reason(side_by_side.go_program, "channels", options.room),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--probe", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--caf", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--room", required=True, type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=5, help="how often everything is measured (default 5)")
    parser.add_argument("--only", choices=PATTERNS, action="append", help="one pattern; may be given again")
    parser.add_argument("--messages", type=int, default=2_000_000, help="of each measurement (default 2000000)")
    parser.add_argument("--against", metavar="PROGRAM", help="the messages_probe of another build, measured as well")
    options = parser.parse_args()
    if options.rounds < 1 or options.messages < 1000:
        parser.error("--rounds must be at least 1 and --messages at least 1000")
    commands = programs(options)
    core = side_by_side.one_core()
    failed = False
    for pattern in options.only or PATTERNS:
        found = side_by_side.measure(commands, [pattern, str(options.messages)], options.rounds, core)
        side_by_side.table(PATTERNS[pattern], "thousands a second; last: how many times Grove's are", {kind: kind for kind in commands}, found,
                           scale=1e-3, ratio=side_by_side.first_to_own)
        failed = failed or any(isinstance(found[kind], str) for kind in (GROVE, OTHER) if kind in found)
    if failed:
        sys.exit("Grove did not handle all messages")


if __name__ == "__main__":
    main()
