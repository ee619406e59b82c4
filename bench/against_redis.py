#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""CPU seconds of the server per million requests: Grove's keyed counter beside Redis' INCR, in turn, in one run.

Server on one core, load on another. Redis is driven by redis-benchmark, Grove by `grove bench`; both with the same
connections, depth and keys. Each round takes both servers afresh, Grove first in every second round. Printed are the
medians, their spread, and the ratio pair by pair: above 1, Grove does more requests per CPU second.
"""
import argparse
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

TICKS = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def cpu_seconds(pids):
    total = 0.0
    for pid in pids:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        total += (int(fields[11]) + int(fields[12])) / TICKS
    return total


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as listed:
        return [int(child) for child in listed.read().split()]


def connectable(port, process):
    for _ in range(2000):
        if process.poll() is not None:
            sys.exit(f"a server ended with {process.returncode} before it served")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.005)
    sys.exit("a server did not come up within 10 s")


def measure(start, load, port, warm):
    """Requests per second and CPU seconds per million of one server under one load."""
    process = subprocess.Popen(start, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        connectable(port, process)
        load(warm)
        pids = [process.pid, *children(process.pid)]
        before = cpu_seconds(pids)
        requests, rate = load(None)
        return rate, (cpu_seconds(pids) - before) * 1e6 / requests
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def redis_load(port, options):
    def run(requests):
        count = requests or options.requests
        out = subprocess.run(
            ["taskset", "-c", options.load_core, "redis-benchmark", "-p", str(port), "-t", "incr", "-n", str(count),
             "-c", str(options.connections), "-P", str(options.depth), "-r", str(options.keys), "-q"],
            check=True, capture_output=True, text=True).stdout
        return count, float(re.findall(r"([\d.]+) requests per second", out)[-1])
    return run


def grove_load(port, options, programs):
    def run(requests):
        count = requests or options.requests
        out = subprocess.run(
            ["taskset", "-c", options.load_core, f"{programs}/grove", "bench", "--server", f"127.0.0.1:{port}",
             "--connections", str(options.connections), "--depth", str(options.depth), "--keys", str(options.keys),
             "--requests", str(count), "--json"],
            check=True, capture_output=True, text=True).stdout
        return count, float(json.loads(out)["requests_per_second"])
    return run


def one_depth(options, programs, directory):
    figures = {"grove": [], "redis": []}
    warm = max(options.keys, options.requests // 10)
    for number in range(options.rounds):
        for name in ("grove", "redis") if number % 2 == 0 else ("redis", "grove"):
            port = free_port()
            on_core = ["taskset", "-c", options.server_core]
            if name == "redis":
                start = [*on_core, "redis-server", "--port", str(port), "--save", "", "--appendonly", "no", "--dir",
                         directory, "--io-threads", "1"]
                load = redis_load(port, options)
            else:
                start = [*on_core, f"{programs}/grove-server", "--listen", f"127.0.0.1:{port}", "--admin", "off",
                         "--workers", "1"]
                load = grove_load(port, options, programs)
            figures[name].append(measure(start, load, port, warm))
    return figures


def report(depth, figures):
    for name, values in figures.items():
        rates, costs = [v[0] for v in values], [v[1] for v in values]
        print(f"depth {depth:3}  {name:6} {statistics.median(rates):12,.0f} requests/s   CPU s per million: "
              f"{statistics.median(costs):6.3f} ({min(costs):.3f} .. {max(costs):.3f})")
    ratios = [r[1] / g[1] for g, r in zip(figures["grove"], figures["redis"])]
    print(f"depth {depth:3}  requests per CPU second, Grove / Redis: {statistics.median(ratios):.2f} "
          f"({min(ratios):.2f} .. {max(ratios):.2f})")
    return statistics.median(ratios)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", required=True, help="where grove and grove-server are")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--keys", type=int, default=100_000)
    parser.add_argument("--depths", default="16,1")
    parser.add_argument("--server-core", default="0")
    parser.add_argument("--load-core", default="1")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        for depth in options.depths.split(","):
            options.depth = int(depth)
            if options.depth == 1:
                options.requests //= 4
            report(options.depth, one_depth(options, options.programs, directory))


if __name__ == "__main__":
    main()
