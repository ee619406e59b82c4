# SPDX-License-Identifier: Apache-2.0
"""A real server for tests that are written in Python."""
import os
import re
import subprocess
import tempfile

READY = re.compile(r" ready: \d+ workers? serves? (\S+) \(admin ")


class RunningServer:
    """A server on free ports, for as long as the `with` lasts; its folder is its working directory."""

    def __init__(self, programs):
        self.folder = tempfile.TemporaryDirectory()
        self.process = subprocess.Popen(
            [programs / "grove-server", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--workers", "2"],
            stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, cwd=self.folder.name,
            # A worker that a busy machine gives no time to is not replaced, and so not shown as replaced.
            env={**os.environ, "GROVE_HANG_TIMEOUT": "30s"})
        self.address = None
        log = []
        for line in self.process.stderr:
            log.append(line)
            if found := READY.search(line):
                self.address = found[1]
                return
        raise RuntimeError("the server did not become ready:\n" + "".join(log))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.communicate()
        self.folder.cleanup()
