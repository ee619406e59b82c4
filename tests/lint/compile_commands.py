# SPDX-License-Identifier: Apache-2.0
"""What a build folder says of how its files are compiled."""
import json
import pathlib
import shlex


class CompileCommands:
    def __init__(self, build):
        self.build = pathlib.Path(build).resolve()
        self.entries = json.loads((self.build / "compile_commands.json").read_text(encoding="utf-8"))

    def sources(self, root):
        """The project's own sources that are compiled, relative to its root; not what was generated."""
        found = set()
        for entry in self.entries:
            path = pathlib.Path(entry["file"])
            if path.is_relative_to(root) and not path.is_relative_to(self.build):
                found.add(path.relative_to(root))
        return sorted(path for path in found if path.parts[0] != "build")

    def flags(self):
        """(compiler, flags that hold for any file: standard, definitions, every folder of headers)."""
        flags, compiler = [], "c++"
        for entry in self.entries:
            words = shlex.split(entry["command"])
            if not entry["file"].endswith(".cc"):
                continue
            while words[0].endswith("ccache"):
                words = words[1:]
            compiler = words[0]
            for i, word in enumerate(words):
                pair = (word, words[i + 1]) if word in ("-I", "-isystem", "-D") else (word,)
                if word.startswith(("-I", "-D", "-std=", "-isystem")) and pair not in flags:
                    flags.append(pair)
        return compiler, [word for pair in flags for word in pair]
