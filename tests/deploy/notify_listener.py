#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Listens as a service manager does, writes down what a service tells, and ends when it has told a certain line.

Usage: notify_listener.py SOCKET FILE LINE"""
import pathlib
import socket
import sys

path, file, awaited = sys.argv[1:]
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
    manager.bind(path)
    manager.settimeout(120)
    told = []
    while awaited not in told:
        try:
            told += manager.recv(65536).decode().splitlines()
        except TimeoutError:
            sys.exit(f"{awaited} was not told, but {told}")
pathlib.Path(path).unlink()
pathlib.Path(file).write_text("\n".join(told), encoding="utf-8")
