# SPDX-License-Identifier: Apache-2.0
"""Programs that measure the same thing in different systems, run in turn on one core; their medians and ratios."""
import os
import pathlib
import shutil
import statistics
import subprocess

PEERS = pathlib.Path(__file__).resolve().parent / "peers"


class Missing(Exception):
    """What a peer is made with is not installed."""


def go_program(name, room):
    """The command of the program that peers/NAME.go becomes. Errors: Missing."""
    if shutil.which("go") is None:
        raise Missing("golang-go is not installed")
    environment = dict(os.environ, GO111MODULE="off", GOCACHE=str(room / "go-cache"))
    subprocess.run(["go", "build", "-o", room / name, PEERS / f"{name}.go"], check=True, env=environment)
    return [str(room / name)]


def erlang_program(name, room, *flags):
    """The command of main in peers/NAME.erl, with one scheduler and nothing that is not asked for. Errors: Missing."""
    if shutil.which("erlc") is None:
        raise Missing("erlang-base is not installed")
    subprocess.run(["erlc", "-o", room, PEERS / f"{name}.erl"], check=True)
    return ["erl", "-noinput", "-boot", "start_clean", "+S", "1:1", "+SDio", "1", *flags, "-pa", str(room), "-run", name,
            "main"]


def command_or_reason(make, *arguments):
    """The command that `make` returns, or the text that says what is missing."""
    try:
        return make(*arguments)
    except Missing as why:
        return str(why)


def one_core():
    """The core that everything is measured on; none where processes cannot be kept on one."""
    return min(os.sched_getaffinity(0)) if shutil.which("taskset") else None


def run(command, arguments, core):
    """The numbers that a measurement prints, or why there are none."""
    pinned = [*(["taskset", "-c", str(core)] if core is not None else []), *command, *arguments]
    done = subprocess.run(pinned, capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["nothing"])[-1]
        return f"ended with {done.returncode}: {said[:60]}"
    return [float(word) for word in done.stdout.split()]


def measure(commands, arguments, rounds, core):
    """For every kind in `commands` a list of what each round gave, or a text that says why there is none: a text may
    stand in place of a command. Every second round goes backwards, so that nobody is always the first."""
    found = {kind: [] if isinstance(command, list) else command for kind, command in commands.items()}
    for number in range(rounds):
        for kind, command in commands.items() if number % 2 == 0 else reversed(commands.items()):
            if isinstance(found[kind], str):
                continue
            result = run(command, arguments, core)
            if isinstance(result, str):
                found[kind] = result
            else:
                found[kind].append(result)
    return found


def own_to_first(own, first):
    return own / first


def first_to_own(own, first):
    return first / own


def table(title, unit, names, found, column=0, scale=1.0, ratio=own_to_first):
    """Prints the median of each kind in `names`, its spread, and the ratio between it and the first kind, round by
    round, with the spread of that."""
    print(f"\n{title}  ({unit})")
    base = found[next(iter(names))]
    for kind, name in names.items():
        results = found[kind]
        if isinstance(results, str):
            print(f"  {name:<44} {results}")
            continue
        values = [result[column] * scale for result in results]
        line = f"  {name:<44} {statistics.median(values):>12,.1f}   {min(values):,.1f} to {max(values):,.1f}"
        if results is not base and not isinstance(base, str):
            ratios = [ratio(own[column], first[column]) for own, first in zip(results, base)]
            line += f"   {statistics.median(ratios):>8.2f}x   {min(ratios):.2f} to {max(ratios):.2f}"
        print(line, flush=True)
