#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The lints catch what they are for: each is shown a planted fault. So is what reports on the tests."""
import pathlib
import sys
import tempfile
import unittest

import docs
import image_sources
import include_arrows
import shell_scripts
import text_rules
from tree import ROOT, Tree

sys.path.append(str(ROOT / "cmake/dev"))
import test_report
import test_targets


class Planted(unittest.TestCase):
    """A tree of a few files, in a folder that goes away."""

    def plant(self, **files):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        for name, text in files.items():
            path = pathlib.Path(folder.name, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return Tree(folder.name)


class IncludeArrows(Planted):
    def faults(self, path, include, **more):
        # Both sides exist, so that only the arrow can be wrong.
        target = include.strip('"<>')
        files = {target: ""} if include.startswith('"') and not include_arrows.is_generated(target) else {}
        return include_arrows.faults_of(self.plant(**{**files, path: f"#include {include}\n", **more}))[0]

    def test_lets_an_upper_folder_include_what_is_below_it(self):
        for path, include in (("worker/gate/a.cc", '"worker/mesh/b.h"'), ("worker/gate/a.cc", '"worker/greenlet/b.h"'),
                              ("worker/main/a.cc", '"proto/wire/b.h"'), ("client/cli/a.cc", '"base/b.h"'),
                              ("server/a.cc", '"grove/v1/control.pb.h"'), ("worker/hub/a.cc", "<asio/ip/tcp.hpp>"),
                              ("worker/io/a.cc", '"worker/tasks/b.h"'), ("worker/io/a.cc", "<asio/ip/tcp.hpp>"),
                              ("worker/main/a.cc", '"worker/io/b.h"'), ("server/a.cc", '"base/process/b.h"'),
                              ("worker/builtin/a.cc", '"grove/v1/builtin.actor.h"'), ("client/a.h", "<asio.hpp>"),
                              ("tests/unit/hub/a.cc", '"worker/hub/b.h"')):
            self.assertEqual(self.faults(path, include), [], f"{path} {include}")

    def test_fails_on_an_arrow_that_is_not_in_the_design(self):
        for path, include in (("base/a.cc", '"worker/hub/b.h"'), ("worker/greenlet/a.cc", '"worker/hub/b.h"'),
                              ("worker/mesh/a.cc", '"worker/store/b.h"'), ("worker/actor/a.cc", '"worker/gate/b.h"'),
                              ("server/a.cc", '"worker/actor/b.h"'), ("client/a.cc", '"server/b.h"'),
                              ("client/a.cc", '"client/cli/b.h"'), ("client/load/a.cc", '"client/cli/b.h"'), ("worker/hub/a.cc", '"proto/wire/b.h"'),
                              ("worker/hub/a.cc", '"worker/tasks/b.h"'), ("worker/tasks/a.cc", '"worker/io/b.h"'),
                              ("worker/actor/a.cc", '"worker/tasks/b.h"'), ("base/a.cc", '"base/process/b.h"'), ("worker/gate/a.cc", '"worker/io/b.h"'),
                              ("base/a.cc", '"grove/v1/wire.pb.h"'), ("server/a.cc", '"grove/v1/builtin.actor.h"'),
                              ("worker/actor/a.cc", '"bench/b.h"')):
            faults = self.faults(path, include)
            self.assertEqual(len(faults), 1, f"{path} {include}")
            self.assertTrue(faults[0].startswith(f"{path}:1: "), faults)

    def test_fails_on_an_outside_header_in_a_folder_that_may_not_know_it(self):
        for path, include in (("worker/actor/a.cc", "<asio.hpp>"), ("worker/actor/a.h", "<asio/steady_timer.hpp>"),
                              ("worker/actor/a.h", "<sys/socket.h>"), ("worker/tasks/a.h", "<asio.hpp>"),
                              ("worker/actor/a.cc", "<boost/context/detail/fcontext.hpp>")):
            self.assertEqual(len(self.faults(path, include)), 1, f"{path} {include}")

    def test_fails_on_a_private_header_of_another_folder(self):
        self.assertEqual(len(self.faults("worker/actor/a.cc", '"worker/hub/internal/b.h"')), 1)
        self.assertEqual(self.faults("worker/hub/a.cc", '"worker/hub/internal/b.h"'), [])

    def test_does_not_take_the_text_of_generated_code_for_an_include(self):
        text = 'auto text = R"cc(\n#include "worker/hub/b.h"\n)cc";\n#include "base/none.h"\n'
        faults = include_arrows.faults_of(self.plant(**{"proto/plugin/a.cc": text}))[0]
        self.assertEqual([fault.split(" ")[0] for fault in faults], ["proto/plugin/a.cc:4:"])

    def test_fails_on_an_include_that_is_not_by_path_from_the_root(self):
        faults = include_arrows.faults_of(self.plant(**{"base/a.cc": '#include "b.h"\n', "base/b.h": ""}))[0]
        self.assertEqual(len(faults), 1)


class TextRules(Planted):
    def breaks(self, rule, path, line):
        return len(list(text_rules.faults_of(self.plant(**{path: line}), rule)))

    def test_each_rule_catches_its_fault(self):
        for rule, path, line in (
                ("spdx", "base/a.h", "#pragma once\n"),
                ("absolute_paths", "base/a.h", "// see /ho" "me/somebody/notes\n"),
                ("sleeps", "tests/a.cc", "std::this_thread::sleep_for(10ms);\n"),
                ("sleeps", "tests/a.sh", "start\nsleep 2\n"),
                ("sleeps", "tests/a.py", "time.sleep(1)\n"),
                ("fixed_ports", "tests/integration/a.cc", 'start({"--listen", "127.0.0.1:7400"});\n'),
                ("left_open", "base/a.h", "// TO" "DO: later\n"),
                ("whitespace", "base/a.h", "int a; \n"),
                ("whitespace", "base/a.h", "int a;"),
                ("sizes", "base/a.h", "\n" * 301),
                ("pragma_once", "base/a.h", "int a;\n"),
                ("time_sums", "base/a.cc", "auto end = on.now() + limit;\n"),
                ("time_sums", "base/a.cc", "auto end = on.now()\n    + limit;\n"),
                ("time_sums", "base/a.cc", "auto end = limit + hub::current().now();\n"),
                ("time_sums", "base/a.cc", "auto end = now + limit;\n")):
            self.assertEqual(self.breaks(rule, path, line), 1, f"{rule}: {line!r}")

    def test_lets_pass_what_is_right(self):
        for rule, path, line in (
                ("spdx", "base/a.h", "// SPDX-License-Identifier: Apache-2.0\n"),
                ("absolute_paths", "base/a.h", "// /etc/grove.toml and build/dev\n"),
                ("sleeps", "tests/a.cc", "hub.run([&] { grove::sleep_for(10s); });\n"),
                ("sleeps", "tests/a.sh", "until ready; do\n  sleep 0.1\ndone\n"),
                ("fixed_ports", "tests/integration/a.cc", 'start({"--listen", "127.0.0.1:0"});\n'),
                ("sleeps", "tests/a.py", "time.sleep(1)  # lint-allow: sleeps, because a reason\n"),
                ("sizes", "base/a.h", "\n" * 300),
                ("time_sums", "base/a.cc", "auto end = time_after(on.now(), first + second);  // not now() + x\n"),
                ("time_sums", "base/a.cc", "int n = known + 1; ++now; now += step;\n"),
                ("time_sums", "base/a.cc", "auto took = on.now() - began;\n")):
            self.assertEqual(self.breaks(rule, path, line), 0, f"{rule}: {line!r}")


class Docs(Planted):
    def test_fails_on_a_link_that_leads_nowhere(self):
        tree = self.plant(**{"a.md": "# Here\n[b](b.md) [c](#there) [d](#here) [e](https://example.org)\n"})
        self.assertEqual(len(list(docs.check_links(tree))), 2)

    def test_fails_on_a_file_that_is_not_there(self):
        tree = self.plant(**{"a.md": "`base/a.h` `base/{a,b}` `base/`\n", "base/a.h": ""})
        self.assertEqual(len(list(docs.check_paths(tree))), 1)

    def test_fails_on_a_tour_that_leaves_a_folder_out(self):
        tree = self.plant(**{"docs/architecture.md": "`base/`\n", "base/a.h": "", "worker/hub/a.h": ""})
        self.assertEqual(len(list(docs.check_tour(tree))), 1)

    def test_fails_on_shown_code_that_is_not_the_tested_code(self):
        shown = "<!-- from a.cc: int f() { -->\n```cpp\nint f() {\n  return 1;\n}\n```\n"
        same = self.plant(**{"a.md": shown, "a.cc": "int f() {\n  return 1;\n}\nint g() {\n}\n"})
        other = self.plant(**{"a.md": shown, "a.cc": "int f() {\n  return 2;\n}\n"})
        gone = self.plant(**{"a.md": shown, "a.cc": "int g() {\n}\n"})
        self.assertEqual(list(docs.check_shown_code(same)), [])
        self.assertEqual(len(list(docs.check_shown_code(other))), 1)
        self.assertEqual(len(list(docs.check_shown_code(gone))), 1)

    def test_fails_on_packages_that_differ(self):
        tree = self.plant(**{"docs/dependencies.md": "| `one` | why |\n| `two` | why |\n"})
        self.assertEqual(len(list(docs.check_packages(tree, "build one why\nbuild three why\n"))), 2)

    def test_fails_when_the_ci_runs_another_command_than_the_readme_gives(self):
        same = self.plant(**{"README.md": "```sh\n./dev test   # all\n```\n", ".ci/run": "exec ./dev test </dev/null\n"})
        other = self.plant(**{"README.md": "```sh\n./dev test\n```\n", ".ci/run": "exec ./dev test --quick\n"})
        self.assertEqual(list(docs.check_ci(same)), [])
        self.assertEqual(len(list(docs.check_ci(other))), 1)

    def test_fails_on_a_command_that_does_not_exist(self):
        tree = self.plant(**{"README.md": "`./dev fly` and `./dev test`\n"})
        self.assertEqual(len(list(docs.check_dev_commands(tree, "  ./dev test  all\n"))), 1)

    def test_fails_on_presets_that_differ(self):
        tree = self.plant(**{"CMakePresets.json": '{"configurePresets": [{"name": "x", "hidden": true}, {"name": "dev"}]}'})
        self.assertEqual(list(docs.check_presets(tree, 'readonly presets="dev"\n')), [])
        self.assertEqual(len(list(docs.check_presets(tree, 'readonly presets="dev asan"\n'))), 1)

    def test_asks_the_programs_for_the_commands_and_options_that_are_named(self):
        tree = self.plant(**{"README.md": "`grove fly` `grove ps --wide` `grove ps --json`\n",
                             "bin/grove": '#!/bin/sh\n[ "$1" = ps ] || [ "$1" = --help ] && echo "--json"\n'})
        (tree.root / "bin/grove").chmod(0o755)
        self.assertEqual(len(list(docs.check_programs(tree, tree.root / "bin"))), 2)


class ImageSources(Planted):
    def faults(self, install):
        return image_sources.faults_of(self.plant(**{
            ".dockerignore": "*\n!cmake\n!base\n", "cmake/a.cmake": f"set(x y)\n{install}\n"}))[0]

    def test_lets_pass_what_the_image_has_or_does_not_install(self):
        for install in ('install(FILES "${PROJECT_SOURCE_DIR}/base/a.h" b.in DESTINATION d COMPONENT runtime)',
                        'install(FILES "${PROJECT_BINARY_DIR}/a" $<TARGET_FILE:x> DESTINATION d COMPONENT runtime)',
                        'install(FILES "${PROJECT_SOURCE_DIR}/tools/a.py" DESTINATION d COMPONENT development)',
                        "install(TARGETS x RUNTIME DESTINATION d COMPONENT runtime)"):
            self.assertEqual(self.faults(install), [], install)

    def test_fails_on_a_file_that_the_build_of_the_image_does_not_get(self):
        for install in ('install(FILES "${PROJECT_SOURCE_DIR}/tools/a.py" DESTINATION d COMPONENT runtime)',
                        "install(\n  PROGRAMS b ../tools/a.py\n  DESTINATION d\n  COMPONENT runtime)",
                        'install(DIRECTORY "${CMAKE_SOURCE_DIR}/docs/" DESTINATION d COMPONENT runtime)',
                        "install(FILES ../tools/a.py DESTINATION d COMPONENT ${component})",
                        "install(FILES ${unknown} DESTINATION d COMPONENT runtime)"):
            faults = self.faults(install)
            self.assertEqual([fault.split(" ")[0] for fault in faults], ["cmake/a.cmake:2:"], install)

    def test_does_not_read_what_the_image_does_not_have(self):
        tree = self.plant(**{".dockerignore": "*\n!base\n",
                             "tests/CMakeLists.txt": "install(FILES a DESTINATION d COMPONENT runtime)\n"})
        self.assertEqual(image_sources.faults_of(tree), ([], 0))


class ShellScripts(Planted):
    def faults(self, line):
        tree = self.plant(a=f"#!/bin/sh\n{line}\n")
        return list(shell_scripts.early_leavers(tree, "a"))

    def test_fails_on_a_pipe_whose_reader_may_leave_first(self):
        for line in ("x | grep -q y", "x | grep -Eq y", "x |grep -i -q y", "x | grep --quiet y", "x | grep -m1 y",
                     'a=$(x | head -n 1 | cut -d: -f1)', "x 2>&1 | head"):
            self.assertEqual(len(self.faults(line)), 1, line)

    def test_lets_pass_a_reader_that_stays_or_a_writer_that_is_none(self):
        for line in ('grep -q y <<<"$x"', "x || grep -q y file", "x | grep y", "x | sed -n 1p", "x | tail -n 1",
                     "head -c 10 file"):
            self.assertEqual(self.faults(line), [], line)


class TestReport(Planted):
    CASE = '<testcase name="{}" status="{}"><system-out>{}</system-out></testcase>'

    def report(self, *cases):
        tree = self.plant(**{"ctest.xml": f"<testsuite>{''.join(self.CASE.format(*case) for case in cases)}</testsuite>"})
        lines = []
        good = test_report.report([("dev", tree.root / "ctest.xml")], lines.append)
        return good, lines

    def test_closes_with_the_count(self):
        self.assertEqual(self.report(("a.b", "run", ""), ("a.c", "run", "")), (True, ["2 passed, 0 failed"]))

    def test_names_what_was_skipped_and_why(self):
        good, lines = self.report(("a.b", "notrun", "[ SKIPPED ]\nno engine"))
        self.assertEqual((good, lines), (True, ["==> skipped: a.b (dev): no engine", "0 passed, 0 failed"]))

    def test_tells_the_reason_that_googletest_prints_in_the_middle(self):
        _, lines = self.report(("a.b", "notrun", "[ RUN ] b\na_test.cc:1: Skipped\nno guards\n[  SKIPPED ] b\n[  SKIPPED ] b"))
        self.assertEqual(lines[0], "==> skipped: a.b (dev): no guards")

    def test_says_when_a_skipped_test_gives_no_reason(self):
        self.assertEqual(self.report(("a.b", "notrun", ""))[1][0], "==> skipped: a.b (dev): it does not say why")

    def test_names_what_failed_at_the_end_and_shows_the_end_of_what_it_printed(self):
        good, lines = self.report(("a.b", "run", "fine"), ("a.c", "fail", "\n".join(f"line {n}" for n in range(1000))))
        self.assertFalse(good)
        self.assertEqual(lines[-3:], ["line 999", "==> failed: a.c (dev)", "1 passed, 1 failed"])
        self.assertEqual(len(lines), test_report.LINES_OF_A_FAILURE + 4)

    def test_is_no_success_without_results(self):
        lines = []
        self.assertFalse(test_report.report([("tsan", pathlib.Path("nowhere.xml"))], lines.append))
        self.assertEqual(lines[-1], "0 passed, 0 failed")
        self.assertIn("==> tsan: ctest left no results", lines[0])


class TestTargets(Planted):
    BUILD = pathlib.Path("/b")
    SOURCES = {"hub_test.cc": "TEST(hub, ends) {}\nTEST_F(cart, adds) {}\n",
               "wait_test.cc": 'INSTANTIATE_TEST_SUITE_P(all, wait, Values("read"));\nTEST_P(wait, ends) {}\n',
               "mesh_test.cc": "TYPED_TEST(ring, wraps) {}\n// TEST(cup, in_a_comment) {}\n"}
    SCRIPTS = [{"name": "lint.spdx", "command": ["python3", "/src/rules.py"],
                "properties": [{"name": "LABELS", "value": ["lint"]}]},
               {"name": "lint.all", "command": ["python3", "--build", "/b"]},
               {"name": "tools.gdb", "command": ["gdb", "/b/tests/scene"]},
               {"name": "deploy.unit", "command": ["unit.sh"],
                "properties": [{"name": "ENVIRONMENT", "value": ["GROVE_TEST_CLI=/b/bin/grove"]},
                               {"name": "LABELS", "value": ["deploy"]}]},
               {"name": "test_old_NOT_BUILT"}]

    def wanted(self, *options):
        tree = self.plant(**self.SOURCES)
        programs = [(name, ["unit"], [tree.root / f"{name}_test.cc"]) for name in ("hub", "wait", "mesh")]
        return test_targets.wanted(self.BUILD, self.SCRIPTS, programs, test_targets.Choice(options))

    def test_builds_the_program_whose_source_has_the_name(self):
        self.assertEqual(self.wanted("-R", "cart"), ({"test_hub"}, {"unit"}))
        self.assertEqual(self.wanted("-R", r"^hub\.hub\.ends$"), ({"test_hub"}, {"unit"}))

    def test_knows_the_parameter_or_the_type_by_the_words_of_the_file_or_its_number(self):
        for name in ("all/wait.ends/read", r"wait.ends/0$", "all/wait"):
            self.assertEqual(self.wanted("-R", name)[0], {"test_wait"}, name)
        self.assertEqual(self.wanted("-R", "ring.wraps<")[0], {"test_mesh"})

    def test_builds_for_a_script_what_its_command_names(self):
        self.assertEqual(self.wanted("-R", "gdb"), ({"scene"}, set()))
        self.assertEqual(self.wanted("-R", "deploy"), ({"programs"}, {"deploy"}))
        self.assertEqual(self.wanted("--label-regex", "^lint$"), (set(), {"lint"}))
        self.assertEqual(self.wanted("-R", "old"), ({"test_old"}, set()))

    def test_builds_everything_where_that_cannot_be_told(self):
        self.assertIsNone(self.wanted("-R", "lint")[0])
        self.assertIsNone(self.wanted("-j", "4")[0])
        self.assertFalse(test_targets.Choice(["-I", "1,2"]).narrows)

    def test_leaves_out_what_is_excluded(self):
        self.assertEqual(self.wanted("-R", "cart|read", "-E", "hub")[0], {"test_wait"})
        self.assertEqual(self.wanted("-R", "lint.spdx", "-LE", "lint")[1], set())

    def test_builds_every_program_with_open_names_for_a_name_that_is_nowhere(self):
        self.assertEqual(self.wanted("-R", "3_greenlets"), ({"test_wait", "test_mesh"}, set()))


if __name__ == "__main__":
    unittest.main()
