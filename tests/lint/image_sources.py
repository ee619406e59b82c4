#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the component `runtime` installs is made of files that .dockerignore lets into the build of the image.

The image is built from those files and installs that component. A file from elsewhere is there on every machine but in
the image, so that only the build of the image, which takes long and is seldom made, would fail.
"""
import fnmatch
import os
import pathlib
import re

from tree import Tree, finish

INSTALL = re.compile(r"^[ \t]*install\s*\(\s*(.*?)\)", re.DOTALL | re.MULTILINE)
RUNTIME = re.compile(r"\bCOMPONENT\s+(runtime\b|\$)")  # A variable may be that as well.
SOURCES = ("FILES", "PROGRAMS", "DIRECTORY")
MADE_BY_THE_BUILD = ("${PROJECT_BINARY_DIR}", "${CMAKE_BINARY_DIR}", "${CMAKE_CURRENT_BINARY_DIR}", "$<")
ROOTS = ("${PROJECT_SOURCE_DIR}", "${CMAKE_SOURCE_DIR}")


def is_let_in(path, patterns):
    """As Docker judges: a pattern holds for a path and all below it, and the last one that holds decides."""
    let_in = True
    for pattern in patterns:
        wanted = pattern.removeprefix("!")
        if any(fnmatch.fnmatchcase(str(part), wanted) for part in (path, *path.parents)):
            let_in = pattern.startswith("!")
    return let_in


def sources_of(words):
    """The files and folders that an install() takes, as they are written."""
    if words[0] not in SOURCES:
        return []
    end = next(i for i, word in enumerate([*words[1:], "DESTINATION"], 1) if word in ("DESTINATION", "TYPE"))
    return words[1:end]


def path_of(word, folder):
    """Where a source is, relative to the root of the project; None: nobody can say by reading."""
    for root in ROOTS:
        word = word.replace(root, "")
    if "${CMAKE_CURRENT_SOURCE_DIR}" not in word and word.startswith("/"):
        folder = pathlib.Path()
    word = word.replace("${CMAKE_CURRENT_SOURCE_DIR}", "").strip("/")
    return None if "$" in word else pathlib.Path(os.path.normpath(folder / word))


def faults_of(tree):
    patterns = [line.strip() for line in tree.text(".dockerignore").splitlines()
                if line.strip() and not line.startswith("#")]
    faults, looked_at = [], 0
    for file in tree.files("CMakeLists.txt", ".cmake"):
        if not is_let_in(file, patterns):
            continue
        text = tree.text(file)
        for call in INSTALL.finditer(text):
            looked_at += 1
            words = [word.strip('"') for word in call[1].split()]
            if not RUNTIME.search(call[1]):
                continue
            place = f"{file}:{text.count(chr(10), 0, call.start()) + 1}"
            for word in sources_of(words):
                if word.startswith(MADE_BY_THE_BUILD):
                    continue
                path = path_of(word, file.parent)
                if path is None:
                    faults.append(f"{place}: {word}: only a path below the project's root or the file's folder can be checked")
                elif not is_let_in(path, patterns):
                    faults.append(f"{place}: the image installs {path}, which .dockerignore keeps out of its build")
    return faults, looked_at


if __name__ == "__main__":
    finish("image sources", *faults_of(Tree()))
