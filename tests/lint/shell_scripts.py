#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""shellcheck on every shell script of the tree, that those which a person starts can be started, and that no pipe ends
in a reader that may be gone while there is still something to read: with `pipefail` the writer's SIGPIPE then fails the
whole, or does not, as the two happen to be scheduled."""
import os
import re
import subprocess

from tree import Tree, finish

LEAVES_EARLY = re.compile(r"(?<!\|)\|\s*(grep\s+(-\S+\s+)*-(\w*q|-quiet|\w*m\s*\d)|head\b)")


def early_leavers(tree, path):
    for number, line in enumerate(tree.text(path).splitlines(), 1):
        if LEAVES_EARLY.search(line):
            yield (f"{path}:{number}: a pipe into {LEAVES_EARLY.search(line).group(1)!r}, which may leave before its writer "
                   "is done: read into a variable first, or take `sed -n 1p`, which reads to the end")


def main():
    tree = Tree()
    scripts = tree.scripts()
    done = subprocess.run(["shellcheck", "--format=gcc", "--external-sources", *map(str, scripts)], cwd=tree.root,
                          text=True, capture_output=True, check=False)
    faults = done.stdout.splitlines() + done.stderr.splitlines()
    for path in scripts:
        faults += early_leavers(tree, path)
        if tree.text(path).startswith("#!") and not os.access(tree.root / path, os.X_OK):
            faults.append(f"{path}: has a #! line and is not executable")
    finish("shellcheck", faults, len(scripts))


if __name__ == "__main__":
    main()
