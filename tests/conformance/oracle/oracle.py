# SPDX-License-Identifier: Apache-2.0
"""Runs the scenarios of a file and prints their transcripts: oracle.py FILE [SCENARIO...]

It runs under the interpreter whose library is the oracle: CPython with greenlet or gevent, or PyPy.
"""
import importlib
import sys
import threading

import core_verbs
from interpreter import World
from language import Fault, read_scenarios


def run_here(scenario, transcript):
    world = World(scenario, transcript)
    core_verbs.add_verbs(world)
    system = importlib.import_module(scenario.system + "_verbs")
    with core_verbs.BATON:
        system.add_verbs(world)
        getattr(system, "run_main", lambda of: of.run_main("main"))(world)
        world.recording = False
        if world.threads:
            raise Fault("the thread %s was not joined" % min(world.threads))
        for name in sorted(world.globals):
            del world.globals[name]


def run_scenario(scenario):
    transcript = []

    def run():
        try:
            run_here(scenario, transcript)
        except Fault as fault:
            transcript.append("fault: %s" % fault)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return transcript


def main():
    for scenario in read_scenarios(sys.argv[1]):
        if len(sys.argv) == 2 or scenario.name in sys.argv[2:]:
            print("scenario " + scenario.name, flush=True)
            for line in run_scenario(scenario):
                print("  " + line, flush=True)


if __name__ == "__main__":
    main()
