# SPDX-License-Identifier: Apache-2.0
"""Python's greenlets, measured as switch_probe.cc measures Grove's: ring, memory, spawn."""
import os
import sys
import time

from greenlet import getcurrent, greenlet


def resident_bytes():
    with open("/proc/self/status", encoding="ascii") as status:
        return sum(int(line.split()[1]) * 1024 for line in status if line.startswith(("VmRSS:", "VmPTE:")))


def suspended(units):
    main = getcurrent()

    def body():
        switch = main.switch
        while True:
            switch()

    made = [greenlet(body) for _ in range(units)]
    for one in made:
        one.switch()
    return made


def ring(units, switches):
    visits = [one.switch for one in suspended(units)]
    rounds = switches // (2 * units) + 1
    begun = time.perf_counter()
    for _ in range(rounds):
        for visit in visits:
            visit()
    return (time.perf_counter() - begun) * 1e9 / (2 * units * rounds)


def memory(units):
    before = resident_bytes()
    made = suspended(units)
    return (resident_bytes() - before) / len(made)


def spawn(units):
    begun = time.perf_counter()
    for _ in range(units):
        greenlet(lambda: None).switch()
    return units / (time.perf_counter() - begun)


print({"ring": ring, "memory": memory, "spawn": spawn}[sys.argv[1]](*map(int, sys.argv[2:])), flush=True)
# What is measured is over: a million greenlets need not be unwound.
os._exit(0)
