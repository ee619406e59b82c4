#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `./dev test` closes with: what each failed test printed, the names of the skipped and the failed ones, and the
line `N passed, N failed`. So the end of a long log, which may be all that is kept of it, says what to mend.

Usage: test_report.py PRESET=JUNIT_FILE...  Exit status 0 if there are results of every preset and none failed."""
import pathlib
import sys
import xml.etree.ElementTree

LINES_OF_A_FAILURE = 50  # the last ones
LENGTH_OF_A_LINE = 300  # characters: template names in a sanitizer's stack are longer


def tests_of(junit_file):
    """Name, status and output of each test in a results file of ctest's."""
    for case in xml.etree.ElementTree.parse(junit_file).getroot().iter("testcase"):
        output = case.findtext("system-out") or ""
        yield case.get("name"), case.get("status"), output.strip().splitlines()


def why_skipped(output):
    """What a skipped test said of it: GoogleTest has that in the line after the place, a script in its last line."""
    for place, reason in zip(output, output[1:]):
        if place.endswith(": Skipped"):
            return reason
    return output[-1] if output else "it does not say why"


def report(results, write=print):
    """Writes the report of (preset, results file) pairs; True if all is well."""
    passed, skipped, failed, missing = 0, [], [], []
    for preset, junit_file in results:
        try:
            tests = list(tests_of(junit_file))
        except (OSError, xml.etree.ElementTree.ParseError) as error:
            missing.append(f"{preset}: ctest left no results: {error}")
            continue
        for name, status, output in tests:
            if status == "run":
                passed += 1
            elif status in ("notrun", "disabled"):
                skipped.append((preset, name, output))
            else:
                failed.append((preset, name, output))
    for preset, name, output in skipped:
        write(f"==> skipped: {name} ({preset}): {why_skipped(output)}")
    for preset, name, output in failed:
        write(f"==> what {name} printed ({preset})")
        if len(output) > LINES_OF_A_FAILURE:
            write(f"... {len(output) - LINES_OF_A_FAILURE} lines above these ...")
        for line in output[-LINES_OF_A_FAILURE:]:
            write(line[:LENGTH_OF_A_LINE])
    for preset, name, _ in failed:
        write(f"==> failed: {name} ({preset})")
    for line in missing:
        write(f"==> {line}")
    write(f"{passed} passed, {len(failed)} failed")
    return not failed and not missing


if __name__ == "__main__":
    sys.exit(0 if report([(pair.partition("=")[0], pathlib.Path(pair.partition("=")[2])) for pair in sys.argv[1:]]) else 1)
