#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""shellcheck on every shell script of the tree, and that those which a person starts can be started."""
import os
import subprocess

from tree import Tree, finish


def main():
    tree = Tree()
    scripts = tree.scripts()
    done = subprocess.run(["shellcheck", "--format=gcc", "--external-sources", *map(str, scripts)], cwd=tree.root,
                          text=True, capture_output=True, check=False)
    faults = done.stdout.splitlines() + done.stderr.splitlines()
    for path in scripts:
        if tree.text(path).startswith("#!") and not os.access(tree.root / path, os.X_OK):
            faults.append(f"{path}: has a #! line and is not executable")
    finish("shellcheck", faults, len(scripts))


main()
