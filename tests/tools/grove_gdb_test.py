# SPDX-License-Identifier: Apache-2.0
"""Runs gdb on a program that aborts and checks what tools/grove-gdb.py says of its greenlets."""

import pathlib
import re
import subprocess
import sys
import unittest

SCRIPT, SCENE = sys.argv[1:3]


def gdb(*commands):
    """What gdb prints; all commands run in one session, after the abort."""
    arguments = ["gdb", "--nx", "--batch", "-ex", "set debuginfod enabled off", "-ex", "set confirm off", "-ex", "run",
                 "-x", SCRIPT]
    for command in commands:
        arguments += ["-ex", f"echo == {command} ==\\n", "-ex", command]
    done = subprocess.run(arguments + [SCENE], capture_output=True, text=True, timeout=120, check=False)
    return done.stdout + done.stderr


class GroveGdb(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        text = gdb("greenlets", "greenlet-backtrace waiting", "greenlet-backtrace elsewhere", "greenlet-backtrace away",
                   "greenlet-backtrace unstarted", "backtrace", "greenlet-backtrace stopper",
                   "greenlet-backtrace nobody")
        cls.text = text
        cls.parts = dict(re.findall(r"^== (.+?) ==\n(.*?)(?=^== |\Z)", text, re.MULTILINE | re.DOTALL))

    def test_lists_the_greenlets_of_all_threads_with_their_states(self):
        listed = self.parts.get("greenlets", self.text)
        for line in ("'waiting' suspended,", "'unstarted' pending,", "'ended' dead,", "'stopper' current,",
                     "'elsewhere' suspended,", "'away' suspended,", "'main' suspended main, parent 0x0", "'main' current main, parent 0x0"):
            self.assertIn(line, listed)
        self.assertEqual(len(listed.strip().splitlines()), 8)

    def test_prints_the_stack_of_a_suspended_greenlet(self):
        stack = self.parts.get("greenlet-backtrace waiting", self.text)
        self.assertEqual(stack.count("scene::go_deep"), 4, self.text)
        self.assertEqual(stack.count("scene::wait_for_the_debugger"), 1, stack)
        self.assertLess(stack.index("wait_for_the_debugger"), stack.index("go_deep"))
        self.assertNotIn("scene::stop", stack)

    def test_prints_the_stack_of_one_of_another_thread(self):
        stack = self.parts.get("greenlet-backtrace elsewhere", self.text)
        self.assertEqual(stack.count("scene::go_deep"), 2, self.text)

    def test_prints_the_stack_of_whoever_resumed_what_a_greenlet_is_in(self):
        stack = self.parts.get("greenlet-backtrace away", self.text)
        self.assertEqual(stack.count("scene::go_deep"), 3, self.text)
        self.assertEqual(stack.count("resumed by"), 1, stack)
        self.assertIn("scene::go_to_a_big_stack", stack.split("resumed by")[1])

    def test_prints_the_stack_of_whoever_resumed_what_runs(self):
        stack = self.parts.get("greenlet-backtrace stopper", self.text)
        self.assertIn("scene::stop_on_a_big_stack", stack.split("resumed by")[1])

    def test_says_that_an_unstarted_one_has_no_stack(self):
        self.assertIn("no suspended stack", self.parts.get("greenlet-backtrace unstarted", self.text))

    def test_leaves_the_stack_of_the_thread_as_it_was(self):
        self.assertIn("scene::stop", self.parts.get("backtrace", self.text))

    def test_says_that_there_is_no_such_greenlet(self):
        self.assertIn("there is no greenlet nobody", self.text)


if __name__ == "__main__":
    assert pathlib.Path(SCRIPT).is_file()
    unittest.main(argv=sys.argv[:1])
