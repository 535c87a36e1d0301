# SPDX-License-Identifier: MIT
"""Where each file comes from that a build has opened, and whether the build id covers it.

It is in the stage or in the tree that MicroPython is compiled in, was made by the build, or is the
compiler's own; there is no other place.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from viper.base import atomic_file
from viper.base.contents import Contents
from viper.base.errors import UserError
from viper.firmware.build_id import Inputs
from viper.firmware.opened_files import Opened
from viper.firmware.toolchain import Toolchain


class Provenance:
    """The places that a build may read."""

    def __init__(self, inputs: Inputs, compiler: Toolchain, made: Sequence[Path]) -> None:
        """Args:
        made: the folders that the build itself writes.
        """
        self._compiler = compiler
        self._stage = f"{os.path.realpath(inputs.stage)}/"
        self._tree = f"{os.path.realpath(inputs.tree)}/"
        self._is_own = bool(inputs.own)
        self._made = tuple(f"{os.path.realpath(folder)}/" for folder in made)

    def check(self, opened: Opened) -> None:
        """See that nothing was opened whose content the build id does not cover.

        Raises:
            UserError: something was; it is named.
        """
        known = (self._stage, self._tree, *self._made)
        for path in sorted(opened.everything()):
            if not path.startswith(known) and not self._compiler.owns(path):
                raise UserError(
                    f"{_readable(path)} was compiled in, and is no part of the firmware's sources",
                    "put it, or a link to it, into the module's folder",
                )

    def of_the_system(self, opened: Opened) -> list[str]:
        """What was opened of the compiler and the C library."""
        known = (self._stage, self._tree, *self._made)
        return sorted(path for path in opened.everything() if not path.startswith(known))

    def ours(self, paths: Iterable[str]) -> set[str]:
        """Those of some files that `Inputs` names, by its names."""
        found = {path.removeprefix(self._stage) for path in paths if path.startswith(self._stage)}
        if self._is_own:
            found |= {
                path.removeprefix(self._tree) for path in paths if path.startswith(self._tree)
            }
        return found


class SystemFiles:
    """The files of the compiler and the C library that the last build opened."""

    def __init__(self, record: Path, contents: Contents) -> None:
        self._record = record
        self._contents = contents
        self.was = _load(record)
        self.digests: Mapping[str, str] = self._look(self.was)

    @property
    def changed(self) -> list[str]:
        """Those that have another content than they had then."""
        return [path for path, digest in self.digests.items() if self.was[path] != digest]

    def has_changed(self, opened: Sequence[str]) -> bool:
        """Whether other files have been opened now, or others' contents, than is known."""
        now = self._look(opened)
        before, self.digests = self.digests, now
        return now != before

    def keep(self) -> None:
        """Write them down.

        Raises:
            OSError: it cannot be written.
        """
        atomic_file.write_json(self._record, dict(self.digests))

    def _look(self, paths: Iterable[str]) -> dict[str, str]:
        found = {}
        for path in paths:
            try:
                found[path] = self._contents.digest(path)
            except OSError:
                found[path] = ""  # gone
        return found


def _load(record: Path) -> dict[str, str]:
    try:
        return {str(path): str(digest) for path, digest in json.loads(record.read_bytes()).items()}
    except (OSError, ValueError, AttributeError):
        return {}


def _readable(path: str) -> str:
    root = os.path.realpath(".")
    return os.path.relpath(path, root) if path.startswith(f"{root}/") else path
