#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails on C++ that clang-format would lay out in another way; with --fix it does so."""
import subprocess
import sys

from tree import Tree, finish


def main():
    tree = Tree()
    paths = [str(path) for path in tree.cpp()]
    if "--fix" in sys.argv[1:]:
        subprocess.run(["clang-format", "-i", *paths], cwd=tree.root, check=True)
        return
    done = subprocess.run(["clang-format", "--dry-run", "-Werror", *paths], cwd=tree.root, text=True,
                          capture_output=True, check=False)
    faults = sorted({line.split(":")[0] for line in done.stderr.splitlines() if "error:" in line})
    if done.returncode and not faults:
        faults = [done.stderr]
    finish("clang-format", [f"{path}: not as clang-format has it; run ./dev check --fix" for path in faults],
           len(paths))


main()
