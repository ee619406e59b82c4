#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bugs that are put into the server on purpose, each of which a simulated schedule must find.

  planted_bugs.py            builds the server with each of them in turn, in build/planted, and prints the seed that finds it
  planted_bugs.py --check    only looks whether each can still be planted: its line is in the code, once
  planted_bugs.py NAME...    only these

Exit code 1: one was not found, or cannot be planted.
"""

import argparse
import dataclasses
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLACE = ROOT / "build" / "planted"
SCHEDULES = 4000


@dataclasses.dataclass(frozen=True)
class Bug:
    name: str
    what: str
    file: str
    line: str
    instead: str


BUGS = [
    Bug("lost_wake_up", "a worker falls asleep without saying so to those that write to it", "worker/mesh/mesh.cc",
        "  flush();\n  own_.asleep.store(own_.asleep.load(std::memory_order_relaxed) + 1, std::memory_order_seq_cst);\n",
        "  flush();\n"),
    Bug("forgotten_calls", "calls that a dead worker had are not failed", "worker/mesh/mesh_receive.cc",
        '  fail_calls_at(p, ~std::uint64_t{0}, "worker " + std::to_string(p.slot) + " died while it had the call");\n',
        ""),
    Bug("open_gate", "what a turn did leaves before its change is durable", "worker/actor/hold.cc",
        "  if (!is_held_back(cell)) [[likely]]\n", "  if (!is_held_back(cell) || cell.last_ticket != 0) [[likely]]\n"),
    Bug("half_undone", "a turn that failed sends what it told", "worker/actor/turn.cc", "  t.effects.tells = {};\n", ""),
    Bug("overlapping_turns", "a turn begins while one that excludes it waits", "worker/actor/runtime.cc",
        "  return is_settled(cell) && (cell.exclusive == nullptr || m.type->methods()[m.method].interleave);\n",
        "  return is_settled(cell) && (cell.exclusive == nullptr || m.type->methods().size() > m.method);\n"),
    Bug("silent_loss", "a tell that finds no room is dropped and not counted", "worker/actor/runtime.cc",
        "    recorder_.tell_lost(*call, why);\n", ""),
    Bug("false_outcome", "a turn that began and failed is called not executed", "worker/actor/turn.cc",
        "  if (t.at == turn::progress::begun) result = outcome::not_executed;\n", "  result = outcome::not_executed;\n"),
    Bug("early_leave", "a worker leaves a drain while something is on its way to another one",
        "worker/mesh/drain_agreement.cc",
        "    if (rests_at[slot] != 0 && rests_at[slot] != sent_to(segment_, slot)) return false;\n",
        "    if (rests_at[slot] != 0 && sent_to(segment_, slot) == 0) return false;\n"),
    Bug("overtaking_records", "what finds room in a ring overtakes what waits for room", "worker/mesh/internal/lane.h",
        "    return waiting_.empty() ? ring_.reserve(bytes) : nullptr;\n", "    return ring_.reserve(bytes);\n"),
    Bug("overtaking_calls", "a call overtakes what its actor has told and what is held back", "worker/actor/runtime.cc",
        "  if (!is_held_back(from)) return submit(std::move(sent));\n",
        "  if (!is_held_back(from) || sent->wants_reply()) return submit(std::move(sent));\n"),
    Bug("lost_mail", "what comes while an actor is passivated goes with it", "worker/actor/lifecycle.cc",
        "  if (cell.mail.has_messages() || cell.ready) {\n", "  if (cell.mail.messages() > 1'000) {\n"),
    Bug("two_homes", "a worker that comes back takes its partitions from those that serve them",
        "server/supervisor_partitions.cc",
        "  const std::uint32_t away = partitions_.away_from(slot);\n  if (away == 0) return;\n",
        "  for (std::uint32_t of = 0; of < workers_.size(); ++of)\n    (void)partitions_.send_home(of, serving());\n"
        "  const std::uint32_t away = partitions_.away_from(slot);\n  if (away == 0) return;\n"),
]


def plant(bug: Bug, tree: pathlib.Path) -> None:
    path = tree / bug.file
    text = path.read_text()
    found = text.count(bug.line)
    if found != 1:
        raise SystemExit(f"planted_bugs: {bug.name}: its line is {found} times in {bug.file}, and has to be there once")
    path.write_text(text.replace(bug.line, bug.instead))


def copy_tree(to: pathlib.Path) -> None:
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    for name in filter(None, names.decode().split("\0")):
        source, target = ROOT / name, to / name
        if not source.is_file():
            continue
        if target.exists() and target.read_bytes() == source.read_bytes():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        # Now, and not when the source was changed: what is taken back has to be built again.
        target.write_bytes(source.read_bytes())
        target.chmod(source.stat().st_mode)


def build(tree: pathlib.Path) -> None:
    # Paths below the tree count as relative ones, so that what any other tree has compiled is not compiled again.
    environment = dict(os.environ, CCACHE_BASEDIR=str(tree), CCACHE_NOHASHDIR="1")
    if not (tree / "build" / "dev" / "build.ninja").exists():
        subprocess.run(["cmake", "--preset", "dev"], cwd=tree, env=environment, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", "build/dev", "test_simulation"], cwd=tree, env=environment, check=True,
                   stdout=subprocess.DEVNULL)


def find(tree: pathlib.Path) -> str | None:
    """What finds it: a seed and the promise that is broken; None: nothing does."""
    environment = dict(os.environ, GROVE_SIMULATION_SCHEDULES=str(SCHEDULES))
    run = subprocess.run(["build/dev/tests/test_simulation", "--gtest_filter=*keeps_every_promise*/0"], cwd=tree,
                         env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=1200)
    if run.returncode == 0:
        return None
    seed = re.search(r"GROVE_SIMULATION_SEED=(\d+)", run.stdout)
    why = re.search(r'Which is: "(.*)"', run.stdout)
    if seed and why:
        return f"seed {seed[1]}: {why[1]}"
    # A check of the server's own has ended the process.
    check = re.search(r"check failed[^\n]*", run.stdout)
    return f"seed {seed[1] if seed else '?'}: {check[0] if check else run.stdout.splitlines()[-1]}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("names", nargs="*")
    given = parser.parse_args()
    chosen = [bug for bug in BUGS if not given.names or bug.name in given.names]
    unknown = set(given.names) - {bug.name for bug in BUGS}
    if unknown:
        parser.error(f"{', '.join(sorted(unknown))}: there are {', '.join(bug.name for bug in BUGS)}")
    if given.check:
        for bug in chosen:
            found = (ROOT / bug.file).read_text().count(bug.line)
            if found != 1:
                print(f"planted_bugs: {bug.name}: its line is {found} times in {bug.file}, and has to be there once")
                return 1
        return 0
    missed = 0
    for bug in chosen:
        copy_tree(PLACE)
        plant(bug, PLACE)
        build(PLACE)
        found = find(PLACE)
        missed += found is None
        print(f"{bug.name:22} {bug.what}\n{'':22} {found or f'NOT FOUND in {SCHEDULES} schedules'}", flush=True)
    copy_tree(PLACE)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
