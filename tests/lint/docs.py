#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""That the docs tell the truth. Usage: docs.py [--bin FOLDER_OF_PROGRAMS]

Links lead somewhere; files, commands and options that are named exist; code that is shown is code that is tested; the
list of packages is the list that is installed; the command that the README gives for the tests is the one of the CI.
With --bin the programs are asked what commands and options they have.
"""
import argparse
import json
import pathlib
import re
import subprocess

import markdown
from tree import CPP_FOLDERS, Tree, finish

# Text that tells a person what to type.
SPEAKING = (".md", ".yaml", ".yml", ".service", "Dockerfile")


def documents(tree):
    return [path for path in tree.files(".md") if path.parts[0] != "tests"]


def check_links(tree):
    for path in documents(tree):
        for number, target in markdown.links(tree.text(path)):
            if re.match(r"[a-z]+:", target):
                continue
            file, _, anchor = target.partition("#")
            destination = (tree.root / path.parent / file).resolve() if file else tree.root / path
            if not destination.exists():
                yield f"{path}:{number}: a link to {target}, which is not there"
            elif anchor and destination.suffix == ".md" and anchor not in markdown.anchors(
                    destination.read_text(encoding="utf-8")):
                yield f"{path}:{number}: {file or path} has no heading #{anchor}"


def check_paths(tree):
    """`folder/file` in prose exists; `{a,b}` and `*` as in a shell."""
    for path in documents(tree):
        if path.name == "CHANGELOG.md":
            continue
        for number, code in markdown.inline_code(tree.text(path)):
            if not re.fullmatch(r"(?:%s|cmake|deploy|docs|\.ci)/[\w./*{},-]*" % "|".join(CPP_FOLDERS), code):
                continue
            choices = re.match(r"(.*)\{([^}]*)\}(.*)", code)
            names = [choices[1] + word + choices[3] for word in choices[2].split(",")] if choices else [code]
            for name in names:
                pattern = name.rstrip("/")
                if not any(tree.root.glob(pattern)) and not any(tree.root.glob(pattern + ".*")):
                    yield f"{path}:{number}: names {name}, which is not there"


def check_tour(tree):
    """The tour of the files leaves no folder out."""
    tour = tree.text("docs/architecture.md")
    folders = {"/".join(path.parts[:2]) if path.parts[0] == "worker" else path.parts[0] for path in tree.cpp()}
    for folder in sorted(folders):
        if f"`{folder}" not in tour:
            yield f"docs/architecture.md: does not show the reader {folder}/"


def block_of(text, first):
    """The lines from the one that says `first` to the closing brace that stands below it; None: it is not there."""
    lines = text.splitlines()
    for start, line in enumerate(lines):
        if line.strip() == first:
            indent = line[:len(line) - len(line.lstrip())]
            for end in range(start, len(lines)):
                if lines[end].startswith(indent + "}"):
                    return [shown.removeprefix(indent) for shown in lines[start:end + 1]]
    return None


def check_shown_code(tree):
    """A fence below `<!-- from FILE: FIRST LINE -->` says what that file says from there to the closing brace."""
    for path in documents(tree):
        for fence in markdown.fences(tree.text(path)):
            source = re.fullmatch(r"<!-- from (\S+): (.+) -->", fence.before.strip())
            if not source:
                continue
            file, first = source.groups()
            block = block_of(tree.text(file), first) if (tree.root / file).is_file() else None
            if block is None:
                yield f"{path}:{fence.line}: {file} has no line `{first}` that opens a block"
            elif block != fence.lines:
                yield f"{path}:{fence.line}: is not what {file} says from `{first}` on:\n" + "\n".join(block)


def check_packages(tree, listing):
    """docs/dependencies.md has a row `| package | ...` for each package that is installed, and no other."""
    installed = {line.split()[1].split("|")[0] for line in listing.splitlines() if line.strip()}
    described = set(re.findall(r"^\| `([^`]+)` \|", tree.text("docs/dependencies.md"), re.MULTILINE))
    for name in sorted(installed - described):
        yield f"docs/dependencies.md: says nothing of {name}, which ./dev deps installs"
    for name in sorted(described - installed):
        yield f"docs/dependencies.md: describes {name}, which ./dev deps does not install"


def ci_command(tree):
    lines = [line.strip() for line in tree.text(".ci/run").splitlines() if re.match(r"\s*(exec )?\./dev ", line)]
    return re.sub(r"^exec |\s*</dev/null$", "", lines[-1]) if lines else None


def check_ci(tree):
    """The README's command for the tests, the first `./dev test` in a block, is what the CI runs."""
    commands = [line.split("#")[0].strip() for fence in markdown.fences(tree.text("README.md")) for line in fence.lines
                if line.startswith("./dev test")]
    if not commands:
        yield "README.md: does not say how to run the tests"
    elif ci_command(tree) != commands[0]:
        yield f"README.md says `{commands[0]}` and .ci/run calls `{ci_command(tree)}`"


def check_presets(tree, dev):
    presets = json.loads(tree.text("CMakePresets.json"))["configurePresets"]
    named = [preset["name"] for preset in presets if not preset.get("hidden")]
    listed = re.search(r'^readonly presets="(.*)"$', dev, re.MULTILINE)[1].split()
    if sorted(named) != sorted(listed):
        yield f"dev knows the presets {listed}, CMakePresets.json has {named}"


def mentions(tree, pattern):
    """(path, line number, match) wherever a text that speaks to a person has it as code."""
    for path in tree.files(*SPEAKING):
        text = tree.text(path)
        if path.suffix == ".md":
            lines = list(markdown.inline_code(text))
            for fence in markdown.fences(text):
                if fence.language in ("", "sh", "console", "bash"):
                    lines += list(enumerate(fence.lines, fence.line))
        else:
            lines = list(enumerate(text.splitlines(), 1))
        for number, line in lines:
            for match in re.finditer(pattern, line):
                yield path, number, match


def check_dev_commands(tree, help_text):
    known = set(re.findall(r"^  \./dev (\w+)", help_text, re.MULTILINE))
    for path, number, match in mentions(tree, r"\./dev ([a-z]+)"):
        if match[1] not in known:
            yield f"{path}:{number}: ./dev has no command {match[1]}"


def check_programs(tree, programs):
    """Commands of `grove` and options of both programs that the docs name are known to the programs."""
    def help_of(*words):
        done = subprocess.run([programs / words[0], *words[1:], "--help"], text=True, capture_output=True, check=False)
        return done.stdout + done.stderr if done.returncode == 0 else ""

    helps = {}
    # Where a command begins: a line, a prompt, inline code, a pipe. Elsewhere `grove` is a word, an image or a user.
    for path, number, match in mentions(tree, r"(?:^\s*(?:\$ )?|`|&& |\| )(grove-server|grove)((?: +[^\s|;&)`]+)*)"):
        program, words = match[1], match[2].split()
        command = [program]
        if program == "grove":
            named = [word for word in words if re.fullmatch(r"[a-z]+", word)]
            if not words or (not words[0].startswith("-") and words[0] not in named):
                continue
            command += named[:1]
        key = tuple(command)
        if key not in helps:
            helps[key] = help_of(*command)
        if not helps[key]:
            yield f"{path}:{number}: `{' '.join(command)}` is not known to the program"
            continue
        for option in re.findall(r"(?<!\S)--[a-z][a-z-]*", match[2]):
            if option not in helps[key] and option not in help_of(program):
                yield f"{path}:{number}: `{' '.join(command)}` has no option {option}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", type=pathlib.Path)
    arguments = parser.parse_args()
    tree = Tree()

    def dev(*words):
        return subprocess.run([tree.root / "dev", *words], text=True, capture_output=True, check=True).stdout

    faults = [*check_links(tree), *check_paths(tree), *check_tour(tree), *check_shown_code(tree), *check_ci(tree),
              *check_packages(tree, dev("deps", "all", "--list")), *check_presets(tree, tree.text("dev")),
              *check_dev_commands(tree, dev("--help"))]
    if arguments.bin:
        faults += check_programs(tree, arguments.bin.resolve())
    finish("docs", faults, len(documents(tree)))


if __name__ == "__main__":
    main()
