#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random programs of greenlets, run by Grove and by the oracles: random_programs.py --grove PROGRAM [--seed N]

Each seed is a scenario of some hundred steps: switches, throws, new parents, drops. The seeds of a run follow from one,
which is printed; without --seed it is that of GROVE_TEST_SEED. `--show` prints the program of the seed.
"""
import argparse
import os
import pathlib
import random
import sys
import tempfile

import suite

GREENLETS = 9
STEPS = 40  # a body


class Program:
    """`tree`: with parents and drops, which PyPy treats otherwise."""

    def __init__(self, seed, tree):
        self.dice = random.Random(seed)
        self.tree = tree
        self.values = 0
        self.lines = ["system greenlet", f"scenario seed_{seed}"]
        if tree:
            self.lines.append("  not pypy: it collects later and has other rules for parents")
        for number in range(GREENLETS):
            self.lines.append(f"  body b{number} ...")
            self.lines.append("    print rest")
            self.steps("    ", STEPS, number)
        for number in range(GREENLETS):
            self.make("  ", number, number)
        self.steps("  ", 3 * STEPS, None)
        self.lines += [line for number in range(GREENLETS) for line in (f"  print dead g{number}",
                                                                        f"  print active g{number}")]

    def text(self):
        return "\n".join(self.lines) + "\n"

    def any(self):
        return self.dice.randrange(GREENLETS)

    def value(self):
        self.values += 1
        return self.values

    def make(self, indent, number, body):
        self.lines.append(f"{indent}g{number} = greenlet b{body}")

    def steps(self, indent, count, body):
        """Of a body, by its number, or of the scenario itself."""
        for _ in range(count):
            how = self.dice.random()
            if how < 0.15 and body is not None:
                # What leaves this greenlet, or what another sends, without a handler here.
                self.step(indent, body)
                continue
            self.lines.append(indent + "try")
            self.step(indent + "  ", body)
            self.lines += [f"{indent}catch error as e", f"{indent}  print 'caught' e"]
            if how < 0.4:
                self.lines += [f"{indent}  try", f"{indent}    print switch g{self.any()} {self.value()}",
                               f"{indent}  catch error", f"{indent}    print 'another'"]
            if how > 0.9:
                self.lines += [f"{indent}finally", f"{indent}  print 'finally' {self.value()}"]

    def step(self, indent, body):
        kinds = {"switch": 50, "switch_main": 6, "throw": 12, "exit": 3, "raise": 4, "return": 2, "make": 6, "parent": 8}
        if body is None:
            kinds["return"] = kinds["raise"] = kinds["exit"] = 0
        if not self.tree or body == GREENLETS - 1:
            kinds["make"] = 0
        if not self.tree:
            kinds["parent"] = 0
        else:
            kinds["exit"] = 0  # an unstarted parent would get it, see exit_of_a_child_starts_an_unstarted_parent
        kind = self.dice.choices(list(kinds), kinds.values())[0]
        to = self.any()
        if kind == "switch":
            words = " ".join(str(self.value()) for _ in range(self.dice.choice((0, 1, 1, 1, 2))))
            self.lines.append(f"{indent}print switch g{to} {words}".rstrip())
        elif kind == "switch_main":
            self.lines.append(f"{indent}print switch main {self.value()}")
        elif kind == "throw":
            self.lines.append(f"{indent}print throw g{to} {self.dice.choice(('error_a', 'error_b'))} 'e{self.value()}'")
        elif kind == "exit":
            self.lines.append(f"{indent}print throw g{to}")
        elif kind == "raise":
            self.lines.append(f"{indent}raise error_a 'r{self.value()}'")
        elif kind == "return":
            self.lines.append(f"{indent}return {self.value()}")
        elif kind == "make":
            # Bodies make greenlets of later bodies only, or there would be no end.
            self.make(indent, to, self.dice.randrange(0 if body is None else body + 1, GREENLETS))
        else:
            self.lines.append(f"{indent}set_parent g{to} g{self.any()}")


def seed_of_environment():
    """As tests/support/seed.h has it for the tests in C++."""
    wanted = os.environ.get("GROVE_TEST_SEED", "1")
    return random.SystemRandom().randrange(10**6) if wanted == "random" else int(wanted)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--grove")
    parser.add_argument("--seed", type=int, default=seed_of_environment())
    parser.add_argument("--count", type=int, default=30)
    parser.add_argument("--show", action="store_true")
    arguments = parser.parse_args()
    programs = {seed: Program(seed, tree=seed % 3 != 0).text()
                for seed in range(arguments.seed, arguments.seed + arguments.count)}
    if arguments.show:
        print(programs[arguments.seed], end="")
        return 0
    # A greenlet that waits for its child has it, and the child has its parent: cycles, which nothing collects.
    os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
    print(f"seeds from --seed {arguments.seed} on")
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "random.scenario")
        texts = [text.replace("system greenlet\n", "" if number else "system greenlet\n", 1)
                 for number, text in enumerate(programs.values())]
        file.write_text("".join(texts), encoding="utf-8")
        results, faults = suite.run_file(arguments.grove, file)
    for fault in faults:
        print(fault)
    failed = [result for result in results if result.outcome == "fails"]
    for result in failed[:3]:
        print(f"{result.scenario.name}: {result.text}")
    lines = sum(len(result.grove) for result in results)
    print(f"{len(results)} random programs, {lines} lines compared, {len(failed) + len(faults)} faults")
    return 1 if failed or faults else 0


if __name__ == "__main__":
    sys.exit(main())
