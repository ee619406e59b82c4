#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Types what the README shows, and compares. Usage: readme_session.py --bin FOLDER_OF_PROGRAMS

Every `console` block of README.md is played in order against one fresh server: a line `$ grove ...` is run, what
follows is what it must print. `...` stands for anything in a line, and alone in a line for any lines. Blanks count as
one, so that tables may be narrower here.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys

import markdown
from tree import Tree, finish

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from running_server import RunningServer  # pylint: disable=wrong-import-position


def steps_of(fence):
    """(line number, command, lines that it must print) for each `$ ` line of a block."""
    steps = []
    for number, line in enumerate(fence.lines, fence.line):
        if line.startswith("$ "):
            steps.append((number, line[2:], []))
        elif steps:
            steps[-1][2].append(line)
    return steps


def pattern_of(lines):
    parts = []
    for line in lines:
        if line.strip() == "...":
            parts.append(r"(?:[^\n]*\n)*?")
        else:
            words = [r"[^\n]*?".join(map(re.escape, word.split("..."))) for word in line.split()]
            parts.append(r"[ ]*" + r"[ ]+".join(words) + r"[ ]*\n")
    return re.compile("".join(parts))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    programs = parser.parse_args().bin.resolve()
    blocks = [fence for fence in markdown.fences(Tree().text("README.md")) if fence.language == "console"]
    steps = [step for fence in blocks for step in steps_of(fence) if step[1].startswith("grove ")]
    faults = []
    with RunningServer(programs) as server:
        environment = {**os.environ, "GROVE_SERVER": server.address, "PATH": f"{programs}:{os.environ['PATH']}"}
        for number, command, expected in steps:
            done = subprocess.run(["bash", "-c", command], text=True, capture_output=True, check=False, timeout=60,
                                  env=environment, stdin=subprocess.DEVNULL)
            printed = done.stdout + done.stderr
            while expected and not expected[-1].strip():
                expected.pop()
            if not pattern_of(expected).fullmatch(printed):
                faults.append(f"README.md:{number}: `{command}` printed (status {done.returncode})\n{printed}")
    finish("README session", faults, len(steps))


main()
