#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""./dev as a person meets it: help everywhere, and a clear error with exit status 2 for what it does not know."""
import re
import subprocess

from tree import ROOT, finish

COMMANDS = ("deps", "build", "run", "test", "check", "bench", "docker", "package")
WRONG = (["nonsense"], ["--nonsense"], ["deps", "nonsense"], ["build", "nonsense"], ["build", "release", "nonsense"],
         ["run", "nonsense"], ["run", "--nonsense"], ["test", "nonsense"], ["test", "--nonsense"], ["test", "--preset"],
         ["test", "--preset", "release"], ["test", "--preset=nonsense"], ["test", "-R"], ["check", "--nonsense"],
         ["bench", "--nonsense"], ["docker", "nonsense"], ["docker", "build", "nonsense"])


def dev(*words):
    return subprocess.run([ROOT / "dev", *words], text=True, capture_output=True, check=False, timeout=60,
                          stdin=subprocess.DEVNULL)


def faults():
    for words in ([], ["--help"], ["-h"], ["help"]):
        done = dev(*words)
        listed = re.findall(r"^  \./dev (\w+)", done.stdout, re.MULTILINE)
        if done.returncode != 0 or sorted(listed) != sorted(COMMANDS):
            yield f"./dev {' '.join(words)}: status {done.returncode}, lists {listed}"
    for command in COMMANDS:
        for option in ("--help", "-h"):
            done = dev(command, option)
            if done.returncode != 0 or not done.stdout.startswith(f"Usage: ./dev {command}") or done.stderr:
                yield f"./dev {command} {option}: status {done.returncode}, says {done.stdout[:60]!r} {done.stderr[:60]!r}"
    for words in WRONG:
        done = dev(*words)
        first = done.stderr.splitlines()[0] if done.stderr else ""
        if done.returncode != 2 or done.stdout or "--help" not in done.stderr or not first.startswith("dev: "):
            yield f"./dev {' '.join(words)}: status {done.returncode}, says {first!r} and not what is wrong"
    if dev("deps", "all", "--list").stdout.count("\n") < 20:
        yield "./dev deps all --list: does not list the packages"


finish("dev", list(faults()), 4 + 2 * len(COMMANDS) + len(WRONG) + 1)
