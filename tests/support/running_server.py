# SPDX-License-Identifier: Apache-2.0
"""A real server for tests that are written in Python."""
import os
import re
import socket
import subprocess
import tempfile

READY = re.compile(r" ready: \d+ workers? serves? (\S+) \(admin ")


def kept_port():
    """A socket whose port nobody else gets until it is closed, and at which nobody listens: a connection is refused,
    but for the time in which a server that was told the port listens there."""
    kept = socket.socket()
    kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    kept.bind(("127.0.0.1", 0))
    return kept


class RunningServer:
    """A server for as long as the `with` lasts, on free ports or on that of a kept one; its folder is its working
    directory."""

    def __init__(self, programs, kept=None):
        self.folder = tempfile.TemporaryDirectory()
        port = kept.getsockname()[1] if kept else 0
        self.process = subprocess.Popen(
            [programs / "grove-server", "--listen", f"127.0.0.1:{port}", "--admin", "127.0.0.1:0", "--workers", "2"],
            stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, cwd=self.folder.name,
            # A worker that a busy machine gives no time to is not replaced, and so not shown as replaced.
            env={**os.environ, "GROVE_HANG_TIMEOUT": "30s", "GROVE_START_TIMEOUT": "60s", "GROVE_PIN": "off"})
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
