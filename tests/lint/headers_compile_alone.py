#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles every header as a file of its own. Usage: headers_compile_alone.py --build BUILD_FOLDER [HEADER...]

A header that a source of the build includes before anything else is compiled alone by that source, and not here once
more. Goes through ccache when there is one, so that a second run costs only what has changed.
"""
import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import time

from compile_commands import CompileCommands
from tree import Tree, finish


FIRST_INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<)', re.MULTILINE)


def compiled_by_their_sources(tree, commands):
    found = (FIRST_INCLUDE.search(tree.text(source)) for source in commands.sources(tree.root))
    return {first[1] for first in found if first}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("headers", nargs="*")
    arguments = parser.parse_args()
    tree = Tree()
    commands = CompileCommands(arguments.build)
    compiler, flags = commands.flags()
    ccache = [shutil.which("ccache")] if shutil.which("ccache") else []
    stubs = commands.build / "lint"
    stubs.mkdir(exist_ok=True)

    def compile_alone(header):
        stub = stubs / (header.replace("/", "__") + ".cc")
        # Written only when it is new: the compiler's cache looks at times as well.
        text = f'#include "{header}"\n'
        if not stub.is_file() or stub.read_text(encoding="utf-8") != text:
            stub.write_text(text, encoding="utf-8")
        done = subprocess.run([*ccache, compiler, *flags, "-w", "-O0", "-c", str(stub), "-o", f"{stub}.o"],
                              cwd=commands.build, text=True, capture_output=True, check=False)
        return None if done.returncode == 0 else f"{header}: does not compile alone\n{done.stderr}"

    proven = compiled_by_their_sources(tree, commands)
    headers = arguments.headers or [str(path) for path in tree.cpp(".h") if str(path) not in proven]
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        faults = [fault for fault in pool.map(compile_alone, headers) if fault]
    print(f"{time.monotonic() - began:.0f} s")
    finish("headers compile alone", faults, len(headers))


main()
