#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs files of scenarios with Grove and the oracles; fails on a difference: compare.py --grove PROGRAM FILE..."""
import argparse
import sys

import suite


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--grove", required=True, help="the program grove_scenarios")
    parser.add_argument("files", nargs="+")
    arguments = parser.parse_args()
    failed = passed = 0
    for file in arguments.files:
        results, faults = suite.run_file(arguments.grove, file)
        for fault in faults:
            print(f"{file}: {fault}")
        for result in results:
            if result.outcome == "fails":
                print(f"{file}:{result.scenario.line}: {result.scenario.name}: {result.text}")
        failed += len(faults) + sum(result.outcome == "fails" for result in results)
        passed += sum(result.outcome != "fails" for result in results)
    print(f"{passed} scenarios as they should be, {failed} faults")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
