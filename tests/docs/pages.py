# SPDX-License-Identifier: MIT
"""What a page of the documentation tells its reader to type, and what it says they will see."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from project import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

# What begins a line that is meant for a shell; a page writes these after a `$`.
_PROGRAMS = (
    "./scons",
        "apt",
        "apt-get",
        "cat",
        "cd",
        "cp",
        "curl",
        "docker",
        "echo",
        "esptool",
        "export",
    "git", "make", "mkdir", "mpremote", "mv", "nix", "nix-build", "pip", "python", "python3",
    "rm", "sed", "source", "sudo", "wget",
)  # fmt: skip
_ASSIGNMENT = re.compile(r"[A-Z_]+=\S+ ")


@dataclass(frozen=True)
class Line:
    """A line to type.

    Attributes:
        where: page and line, as an editor takes them: docs/graph.md:61.
        command: what stands after `$ `, as it stands.
        shown: the lines below it, which are what it prints; `…` stands for any text.
    """

    where: str
    command: str
    shown: tuple[str, ...]

    def missing(self, output: str) -> str | None:
        """The first shown line that does not stand in `output` after those before it."""
        printed = iter(line.rstrip() for line in output.splitlines())
        for line in self.shown:
            pattern = re.compile(".*".join(map(re.escape, line.split("…"))))
            if not any(pattern.fullmatch(candidate) for candidate in printed):
                return line
        return None

    @property
    def status(self) -> int:
        """What it ends with: 2 where the page shows an error, else 0."""
        return 2 if any(line.startswith("error: ") for line in self.shown) else 0


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def code(page: Path) -> Iterator[list[tuple[int, str]]]:
    """The blocks of code of a page: their lines, without the indent, with their numbers."""
    block: list[tuple[int, str]] = []
    indent = 0
    before = ""
    for number, text in enumerate([*page.read_text(encoding="utf-8").splitlines(), ""], 1):
        assert not text.lstrip().startswith("```"), f"{name(page)}:{number}: indent code by four"
        own = len(text) - len(text.lstrip())
        if not block and own >= 4 and not before.strip():
            indent = own
        if text.strip() and own >= 4 and (block or indent == own):
            block.append((number, text[min(own, indent) :]))
        elif block:
            yield block
            block, indent = [], 0
        before = text


def to_type(page: Path) -> list[Line]:
    """The `$` lines of a page, in order."""
    lines = []
    for block in code(page):
        shown: list[str] = []
        for number, text in reversed(block):
            if text.startswith("$ "):
                where = f"{name(page)}:{number}"
                lines.append((number, Line(where, text[2:], tuple(reversed(shown)))))
                shown = []
            else:
                shown.append(text.rstrip())
    return [line for _, line in sorted(lines, key=lambda item: item[0])]


def without_prompt(page: Path) -> list[str]:
    """Lines of code that look like a shell's and have no `$`, with their places."""
    found = []
    for block in code(page):
        for number, text in block:
            command = _ASSIGNMENT.sub("", text)  # what is indented is shown, not typed
            if command.split(" ")[0] in _PROGRAMS:
                found.append(f"{name(page)}:{number}: {text}")
    return found
