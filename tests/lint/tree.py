# SPDX-License-Identifier: Apache-2.0
"""The project's files, as every lint sees them, and how a lint reports."""
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = {".git", ".cache", ".vscode", ".idea", "build", "node_modules", "__pycache__"}
CPP = (".h", ".cc")
# Where the C++ of the project is; the rest of the tree is scripts and text.
CPP_FOLDERS = ("base", "proto", "worker", "server", "client", "tests", "bench", "examples")


class Tree:
    """A folder of source: the project, or one that a self-test has planted."""

    def __init__(self, root=ROOT):
        self.root = pathlib.Path(root)

    def files(self, *suffixes, below=("",)):
        """Paths relative to the root, sorted; of those suffixes (all when none is given) and folders."""
        found = []
        for folder in below:
            for where, folders, names in os.walk(self.root / folder):
                folders[:] = [f for f in folders if f not in SKIPPED and not f.startswith("build-")]
                for name in names:
                    path = pathlib.Path(where, name)
                    if name in SKIPPED or path.is_symlink() or (suffixes and not name.endswith(suffixes)):
                        continue
                    found.append(path.relative_to(self.root))
        return sorted(set(found))

    def cpp(self, *suffixes):
        return self.files(*(suffixes or CPP), below=[f for f in CPP_FOLDERS if (self.root / f).is_dir()])

    def text(self, path):
        """What a text file says; nothing for one that is binary."""
        try:
            return (self.root / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            return ""

    def scripts(self):
        """Shell scripts, by name or by their first line."""
        shells = ("#!/bin/sh", "#!/bin/bash", "#!/usr/bin/env bash", "#!/usr/bin/env sh")
        found = []
        for path in self.files():
            if path.suffix in ("", ".sh", ".bash"):
                if path.suffix or self.text(path).startswith(shells):
                    found.append(path)
        return found


def finish(what, faults, looked_at):
    """Prints the faults and ends the program with what ctest expects. Nothing to look at is a fault as well."""
    if not looked_at:
        faults = [f"{what}: found nothing to check, so this check is broken"]
    for fault in faults:
        print(fault)
    print(f"{what}: {looked_at} checked, {len(faults)} at fault")
    sys.exit(1 if faults else 0)
