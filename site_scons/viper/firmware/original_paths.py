# SPDX-License-Identifier: MIT
"""Paths as a person knows them, in what tools print that work in a stage.

A tool names what it reads as it finds it: relative to the folder that it runs in, and in the stage.
A person, and an editor, open the original, by its path relative to the project's root.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

from viper.base import atomic_file

# A path with a line behind it, as compilers and linkers name a place; and any other.
_PATH = re.compile(r"(?<![\w/.~-])(?:\.{1,2}/|/|[\w.+-]+/)*[\w.+-]+\.\w+(?![\w/])")


class OriginalPaths:
    """Turns the paths of copies into those of originals."""

    def __init__(self, copies: Mapping[Path, Path], directory: Path) -> None:
        """Args:
        copies: the folder of each original, by the folder of its copy.
        directory: where the tool runs.
        """
        self._directory = os.path.realpath(directory)
        self._root = os.path.realpath(".")
        self._copies = {f"{os.path.realpath(copy)}/": original for copy, original in copies.items()}

    def save(self, file: Path) -> None:
        """Keep which copy is of what, for `load`, in a project that may be moved meanwhile."""
        root = f"{self._root}/"
        copies = {copy.removeprefix(root): str(path) for copy, path in self._copies.items()}
        atomic_file.write_json(file, copies)

    @staticmethod
    def load(file: Path, directory: Path) -> OriginalPaths:
        """What `save` has kept.

        Raises:
            OSError, ValueError: it cannot be read.
        """
        copies = json.loads(file.read_text(encoding="utf-8"))
        return OriginalPaths({Path(copy): Path(path) for copy, path in copies.items()}, directory)

    def absolute(self, named: str) -> str:
        """The original of any file or folder that a tool names, by its absolute path."""
        path = os.path.normpath(os.path.join(self._directory, named))  # noqa: PTH118
        for copy, original in self._copies.items():
            if f"{path}/".startswith(copy):
                return os.path.normpath(Path(self._root, original, f"{path}/".removeprefix(copy)))
        return path

    def path(self, named: str) -> str | None:
        """The original of a file that a tool names; None if that is no file of the project's."""
        absolute = os.path.normpath(os.path.join(self._directory, named))  # noqa: PTH118
        if not os.path.exists(absolute):  # noqa: PTH110
            return None  # a name, but no file's seen from that folder
        for copy, original in self._copies.items():
            if absolute.startswith(copy):
                return os.path.normpath(original / absolute.removeprefix(copy))
        if absolute.startswith(f"{self._root}/"):
            return os.path.relpath(absolute, self._root)
        return None

    def text(self, printed: str) -> str:
        """What a tool has printed, with the originals in it."""
        for copy, original in self._copies.items():
            seen = f"{os.path.relpath(copy, self._directory)}/"
            by_root = f"{os.path.relpath(copy, self._root)}/"
            for prefix in (f"{self._directory}/{seen}", seen, copy, by_root):
                printed = printed.replace(prefix, "" if original == Path() else f"{original}/")
        return _PATH.sub(lambda found: self.path(found[0]) or found[0], printed)
