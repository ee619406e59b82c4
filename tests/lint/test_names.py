#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every test of GoogleTest's is found in the sources by cmake/dev/test_targets.py under the name that ctest has for it;
else `./dev test -R NAME` would not build its program, and would leave it out.

Usage: test_names.py --build BUILD_FOLDER"""
import argparse
import json
import pathlib
import subprocess
import sys

from tree import ROOT, finish

sys.path.append(str(ROOT / "cmake/dev"))
import test_targets  # pylint: disable=wrong-import-position


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True)
    build = parser.parse_args().build.resolve()
    listed = subprocess.run(["ctest", "--test-dir", build, "--show-only=json-v1"], text=True, capture_output=True,
                            check=True, stdin=subprocess.DEVNULL)
    tests = json.loads(listed.stdout)["tests"]
    looked_at, faults = 0, []
    for name, _, sources in test_targets.read_programs(build / "tests/programs.txt"):
        program = str(build / "tests" / f"test_{name}")
        texts = [source.read_text("utf-8") for source in sources]
        known = {f"{name}.{test}" for text in texts for test in test_targets.names_in(text)}
        known_beginnings = tuple(f"{name}.{test}" for text in texts for test in test_targets.open_names_in(text))
        theirs = [test["name"] for test in tests if test.get("command", [""])[0] == program
                  and test["name"].startswith(f"{name}.")]
        looked_at += len(theirs)
        faults += [f"{test}: not found in the sources of test_{name}" for test in theirs
                   if test not in known and not test.startswith(known_beginnings)]
    finish("test names", faults, looked_at)


main()
