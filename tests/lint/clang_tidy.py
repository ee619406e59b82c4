#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""clang-tidy as .clang-tidy says. Usage: clang_tidy.py --build BUILD_FOLDER [--changed | --product | --all] [FILE...]

--changed: the files that differ from the last commit; --product: not the tests, whose headers take most of the time.
A file is not read again while nothing that it includes has changed since it was found without fault, in this clone or in
another one of this machine. Files of a folder are read together, as one file that includes them, because most of the time
is for the headers that they share; where that finds anything, or they cannot be one file, each is read by itself.
"""
import argparse
import concurrent.futures
import contextlib
import hashlib
import json
import os
import pathlib
import re
import subprocess
import time

from compile_commands import CompileCommands
from tree import Tree, finish


def changed_files(tree):
    def git(*words):
        done = subprocess.run(["git", *words], cwd=tree.root, text=True, capture_output=True, check=False)
        return set(done.stdout.splitlines()) if done.returncode == 0 else None

    differing, new = git("diff", "--name-only", "HEAD"), git("ls-files", "--others", "--exclude-standard")
    return None if differing is None or new is None else differing | new


def folder_of_memory(build):
    """With the other caches of the user, so that all clones share it; somebody without a home has it in the build."""
    folder = pathlib.Path(os.environ.get("GROVE_CACHE") or pathlib.Path.home() / ".cache" / "grove", "clang-tidy")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        pass
    if not os.access(folder, os.W_OK):
        folder = build / "lint" / "clang-tidy"
        folder.mkdir(parents=True, exist_ok=True)
    return folder


class Memory:
    """Which files were without fault, by a digest of all that they were made from: what they include, how they are
    compiled, and who judged them. Paths are relative to the project, wherever that is."""

    DAYS = 30  # without use, until an entry is forgotten

    def __init__(self, commands, tree):
        self.folder = folder_of_memory(commands.build)
        self.tree, self.build = tree, commands.build
        judge = subprocess.run(["clang-tidy", "--version"], capture_output=True, check=True).stdout
        self.settings = hashlib.sha256(judge + (tree.root / ".clang-tidy").read_bytes()).digest()
        self.commands = {entry["file"]: entry["command"].replace(str(tree.root), "") for entry in commands.entries}
        self.digests = {}
        self.dependencies = self.read_dependencies()
        self.forget_old()

    def forget_old(self):
        oldest = time.time() - self.DAYS * 86400
        for entry in self.folder.iterdir():
            with contextlib.suppress(FileNotFoundError):  # Another clone's lint forgets as well.
                if entry.stat().st_mtime < oldest:
                    entry.unlink()

    def read_dependencies(self):
        """What ninja has learned from the compiler: for each source of the project all files that it includes."""
        listing = subprocess.run(["ninja", "-t", "deps"], cwd=self.build, text=True, capture_output=True, check=False)
        found = {}
        for block in listing.stdout.split("\n\n"):
            head, *rest = block.strip("\n").split("\n")
            if "VALID" in head and rest:
                paths = [(self.build / line.strip()).resolve() for line in rest]
                found[paths[0]] = paths
        return found

    def digest_of_file(self, path):
        if path not in self.digests:
            try:
                status = path.stat()
                # Headers of the system change with their package, and its files with their size or time.
                known = path.read_bytes() if path.is_relative_to(self.tree.root) else repr(
                    (status.st_size, status.st_mtime_ns)).encode()
            except OSError:
                known = os.urandom(16)
            self.digests[path] = hashlib.sha256(known).digest()
        return self.digests[path]

    def place_of(self, source):
        """The file whose being there says that the source, as it is now, has no fault; None: not known."""
        file = (self.tree.root / source).resolve()
        paths = self.dependencies.get(file)
        if not paths:
            return None
        digest = hashlib.sha256(self.settings + self.commands.get(str(file), "").encode())
        for path in paths:
            name = path.relative_to(self.tree.root) if path.is_relative_to(self.tree.root) else path
            digest.update(str(name).encode() + self.digest_of_file(path))
        return self.folder / digest.hexdigest()


BATCH = 8  # Files of a folder that are read together.


def batches_of(sources):
    """The sources, by folder, some at a time."""
    by_folder = {}
    for source in sources:
        by_folder.setdefault(source.parent, []).append(source)
    return [files[at:at + BATCH] for files in by_folder.values() for at in range(0, len(files), BATCH)]


class Together:
    """clang-tidy over several files as one, which a file of its own includes."""

    def __init__(self, commands, tree):
        self.tree = tree
        self.entries = {entry["file"]: entry for entry in commands.entries}
        self.folder = commands.build / "lint" / "clang-tidy-batches"
        self.folder.mkdir(parents=True, exist_ok=True)
        # What is in a file that is included counts as what is in a header.
        settings = (tree.root / ".clang-tidy").read_text(encoding="utf-8")
        headers = re.search(r"^HeaderFilterRegex: '(.*)'$", settings, re.MULTILINE).group(1)
        self.filter = headers.replace(r"\.h$", r"\.(h|cc)$")

    def find_no_fault(self, number, sources):
        """True if there is none; False says nothing."""
        files = [str((self.tree.root / source).resolve()) for source in sources]
        entry = self.entries.get(files[0])
        if entry is None:
            return False
        folder = self.folder / str(number)
        folder.mkdir(exist_ok=True)
        one = folder / "batch.cc"
        one.write_text("".join(f'#include "{file}"\n' for file in files), encoding="utf-8")
        command = entry["command"].replace(files[0], str(one))
        (folder / "compile_commands.json").write_text(
            json.dumps([{"directory": entry["directory"], "command": command, "file": str(one)}]), encoding="utf-8")
        done = subprocess.run(
            ["clang-tidy", "--quiet", f"--config-file={self.tree.root / '.clang-tidy'}", f"-p={folder}",
             f"--header-filter={self.filter}", str(one)], text=True, capture_output=True, check=False)
        return done.returncode == 0 and not re.search(r": (warning|error): ", done.stdout)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--changed", action="store_true")
    parser.add_argument("--product", action="store_true")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("files", nargs="*")
    arguments = parser.parse_args()
    tree = Tree()
    commands = CompileCommands(arguments.build)
    sources = commands.sources(tree.root)
    memory = Memory(commands, tree)
    if arguments.files:
        sources = [pathlib.Path(file) for file in arguments.files]
    elif arguments.changed and (changed := changed_files(tree)) is not None:
        headers = {(tree.root / path).resolve() for path in changed}
        sources = [path for path in sources if str(path) in changed
                   or headers.intersection(memory.dependencies.get((tree.root / path).resolve(), ()))]
        if not sources:
            print("clang-tidy: no C++ differs from the last commit")
            return
    elif arguments.product:
        sources = [path for path in sources if path.parts[0] not in ("tests", "bench", "examples")]

    def look_at(source):
        done = subprocess.run(["clang-tidy", "--quiet", f"-p={commands.build}", str(tree.root / source)], text=True,
                              capture_output=True, check=False)
        output = done.stdout.replace(f"{tree.root}/", "")
        faults = re.split(r"^(?=\S+:\d+:\d+: (?:warning|error): )", output, flags=re.MULTILINE)[1:]
        if done.returncode and not faults:
            faults = [output + done.stderr or f"{source}: clang-tidy ended with status {done.returncode}"]
        return faults

    together = Together(commands, tree)

    def look_at_batch(number, batch):
        places = {source: memory.place_of(source) for source in batch}
        unknown = []
        for source, place in places.items():
            if place and place.is_file():
                place.touch()
            else:
                unknown.append(source)
        faults = []
        if len(unknown) > 1 and together.find_no_fault(number, unknown):
            found = {source: [] for source in unknown}
        else:
            found = {source: look_at(source) for source in unknown}
        for source, its_faults in found.items():
            faults += its_faults
            if places[source] and not its_faults:
                places[source].touch()
        return faults

    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        # A fault in a header is found by all that include it, and told once.
        batches = batches_of(sources)
        found = pool.map(look_at_batch, range(len(batches)), batches)
        faults = list(dict.fromkeys(fault.strip() for some in found for fault in some))
    print(f"{time.monotonic() - began:.0f} s")
    finish("clang-tidy", faults, len(sources))


main()
