#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An outside project finds the installed package, builds against it, and its program talks to the installed server.

Usage: example_test.py --build BUILD_FOLDER --example FOLDER --work FOLDER [--sanitize LIST]
"""
import argparse
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from running_server import RunningServer, kept_port  # pylint: disable=wrong-import-position


def run(*command, status=0):
    """What it prints; the test ends when it ends otherwise than it should."""
    done = subprocess.run(command, text=True, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode != status:
        sys.exit(f"{' '.join(map(str, command))}\nended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def expect(what, printed, expected):
    if expected not in printed:
        sys.exit(f"{what} printed\n{printed}\nwithout '{expected}'")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--example", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--sanitize", default="")
    given = parser.parse_args()
    work = given.work.resolve()
    shutil.rmtree(work, ignore_errors=True)
    installed = work / "installed"
    flags = [f"-DCMAKE_CXX_FLAGS=-fsanitize={given.sanitize}"] if given.sanitize else []
    run("cmake", "--install", given.build, "--prefix", installed)
    run("cmake", "-S", given.example, "-B", work / "build", "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={installed}", *flags)
    run("cmake", "--build", work / "build")

    program = work / "build" / given.example.name
    with kept_port() as kept:
        with RunningServer(installed / "bin", kept) as server:
            for visits in ("1\n", "2\n"):
                expect("with a server it", run(program, server.address), visits)
        expect("without a server it", run(program, server.address, status=1), "cannot connect")
    expect("with half an address it", run(program, "127.0.0.1:many", status=2), "INVALID_ARGUMENT")


main()
