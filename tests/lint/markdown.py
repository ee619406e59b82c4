# SPDX-License-Identifier: Apache-2.0
"""As much of Markdown as the lints of the docs need."""
import dataclasses
import re


@dataclasses.dataclass
class Fence:
    """A block between ``` lines."""

    language: str
    line: int  # Of its first line of content, from 1.
    lines: list
    before: str  # The line above it, where a comment may say where it is from.


def fences(text):
    found, open_fence, before = [], None, ""
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("```"):
            if open_fence is None:
                open_fence = Fence(line[3:].strip(), number + 1, [], before)
            else:
                found.append(open_fence)
                open_fence = None
        elif open_fence is not None:
            open_fence.lines.append(line)
        if line.strip():
            before = line
    return found


def prose(text):
    """(line number, line) of all that is in no fence."""
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("```"):
            inside = not inside
        elif not inside:
            yield number, line


def links(text):
    """(line number, target) of links and images that are not code."""
    for number, line in prose(text):
        for match in re.finditer(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", line)):
            yield number, match.group(1)


def anchors(text):
    """The names that headings get, as the usual renderers make them."""
    return {re.sub(r"[^\w\- ]", "", line.lstrip("#").strip().lower()).replace(" ", "-")
            for _, line in prose(text) if re.match(r"#+ ", line)}


def inline_code(text):
    """(line number, code) of what stands between backticks in prose."""
    for number, line in prose(text):
        for match in re.finditer(r"`([^`]+)`", line):
            yield number, match.group(1)
