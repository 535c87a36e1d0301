# SPDX-License-Identifier: MIT
"""A small change of a program that its tests should notice."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, order=True)
class Mutant:
    """A piece of a file in other words.

    Attributes:
        path: of the file, from the project's root.
        start, end: of the piece, in bytes.
        line, column: where the piece begins, from 1; the column in bytes.
        old, new: the piece, and what stands there instead.
    """

    path: Path
    start: int
    end: int
    line: int
    column: int
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}  {self.old} → {self.new}"

    def apply(self, root: Path) -> None:
        """Write it into a copy of the project."""
        file = root / self.path
        content = file.read_bytes()
        assert content[self.start : self.end].decode() == self.old
        file.write_bytes(content[: self.start] + self.new.encode() + content[self.end :])
