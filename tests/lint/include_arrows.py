#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads every include of the product's folders and fails on one that no arrow of docs/architecture.md allows.

A folder may include itself, the folders listed for it and all that those may include. Headers made from protobuf files
count as `proto`; those of our own generator (`*.actor.h`, `*.client.h`) count as the folder that they are for.
"""
import re

from tree import Tree, finish

# base <- proto/wire <- client <- client/load <- client/cli
# base <- proto/json <- client/cli
# base <- worker/greenlet <- worker/hub <- worker/tasks <- worker/io <- worker/main
# worker/hub <- worker/actor <- worker/{builtin,store,mesh} <- worker/gate <- worker/main
# base <- base/process <- worker/actor, server
# proto/wire <- server
ARROWS = {
    "base": [],
    "base/process": ["base", "proto"],
    "proto": [],
    "proto/plugin": ["base", "proto"],
    "proto/json": ["base"],
    "proto/wire": ["base", "proto"],
    "client": ["proto/wire"],
    "client/load": ["client"],
    "client/cli": ["client/load", "proto/json"],
    "worker/greenlet": ["base"],
    "worker/hub": ["worker/greenlet"],
    "worker/tasks": ["worker/hub"],
    "worker/io": ["worker/tasks"],
    "worker/actor": ["worker/hub", "base/process", "proto"],
    "worker/builtin": ["worker/actor"],
    "worker/store": ["worker/actor"],
    "worker/mesh": ["worker/actor"],
    "worker/gate": ["worker/builtin", "worker/store", "worker/mesh", "proto/wire"],
    "worker/main": ["worker/gate", "worker/io"],
    "server": ["base/process", "proto/wire"],
}
# Headers from outside that only some folders may know: the rest reaches them through a small interface.
OUTSIDE = [
    (re.compile(r"asio(\.hpp|/)"),
     {"worker/hub", "worker/io", "worker/gate", "worker/main", "client", "client/load", "client/cli", "server"}),
    (re.compile(r"boost/context/"), {"worker/greenlet"}),
    (re.compile(r"google/protobuf/compiler/"), {"proto/plugin"}),
    (re.compile(r"nlohmann/"), {"proto/json"}),
    (re.compile(r"sys/(socket|epoll|un)\.h|netinet/"),
     {"base", "worker/hub", "worker/io", "worker/mesh", "worker/gate", "worker/main", "client", "client/cli", "server"}),
]
RAW_STRING = re.compile(r'R"([^(\s"]*)\(.*?\)\1"', re.DOTALL)
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)


def layer_of(path):
    """The folder of ARROWS that a file belongs to: the longest that its path begins with."""
    fitting = [layer for layer in ARROWS if path == layer or path.startswith(layer + "/")]
    return max(fitting, key=len, default=None)


def target_of(include):
    if include.endswith(".pb.h"):
        return "proto"
    if include.endswith(".actor.h"):
        return "worker/actor"
    if include.endswith(".client.h"):
        return "client"
    return layer_of(include)


def reachable(layer):
    found, open_ends = {layer}, [layer]
    while open_ends:
        for below in ARROWS[open_ends.pop()]:
            if below not in found:
                found.add(below)
                open_ends.append(below)
    return found


def is_generated(include):
    return include.endswith((".pb.h", ".actor.h", ".client.h"))


def fault_of(tree, path, quoted, angled):
    """Why this include may not be where it is, or None."""
    layer = layer_of(path)
    if angled:
        for pattern, allowed in OUTSIDE:
            if layer and pattern.match(angled) and layer not in allowed:
                return f"<{angled}> is only for {', '.join(sorted(allowed))}"
        return None
    if not is_generated(quoted) and not (tree.root / quoted).is_file():
        return f'"{quoted}" is not a file: includes are by path from the root of the project'
    target = target_of(quoted)
    folder = quoted.split("/internal/")[0]
    if "/internal/" in quoted and not path.startswith((folder + "/", "tests/", "bench/")):
        return f'"{quoted}" is private to {folder}'
    if layer is None:  # Tests, benchmarks and examples stand outside of the layers.
        return None
    if target is None:
        return f'"{quoted}" is in no layer: {layer} may not know it'
    if target not in reachable(layer):
        return f'"{quoted}": there is no arrow from {layer} to {target}'
    return None


def faults_of(tree):
    faults = []
    paths = [path.as_posix() for path in tree.cpp()]
    for path in paths:
        # The text of generated code is no include of the generator's; line numbers stay.
        text = RAW_STRING.sub(lambda raw: "\n" * raw[0].count("\n"), tree.text(path))
        for match in INCLUDE.finditer(text):
            fault = fault_of(tree, path, *match.groups())
            if fault:
                line = text.count("\n", 0, match.start(match.lastindex)) + 1
                faults.append(f"{path}:{line}: {fault}")
        if path.startswith("worker/") and layer_of(path) is None:
            faults.append(f"{path}: a folder that has no place among the layers")
    return faults, len(paths)


if __name__ == "__main__":
    finish("include arrows", *faults_of(Tree()))
