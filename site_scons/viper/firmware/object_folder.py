# SPDX-License-Identifier: MIT
"""A folder of objects, make's or ninja's: when it may be gone on with, and when it begins anew.

Both compile again what a changed file is known to go into: a source, what it includes, what is
frozen. All else an object depends on unseen: flags, makefiles, a manifest's options, settings, a
compiler, a file that has come or gone and that a search would find now. Whether such a thing has
changed is seen here, from what the folder was last brought to; then the objects go. ccache gives
back those that come out the same.

What the assembler reads by itself (`.include`, `.incbin`) is told by no dependency file either, and
what MicroPython's rules assemble by none at all: then whatever an object is not known to be made
from may be part of any.

A compiler's error leaves no half object, and is no reason; a build that was killed is.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from viper.base import atomic_file

_RECORD = "made-from.json"
_UNFINISHED = "unfinished"
_SOURCES = (".c", ".cc", ".cpp", ".cxx", ".S", ".s")
_HEADERS = (".h", ".hh", ".hpp", ".hxx", ".inc")
# From these MicroPython's build collects the names that are compiled in; it looks at sources only.
_COLLECTED = Path("genhdr/qstr.i.last")


class ObjectFolder:
    """The folder and what is known of it."""

    def __init__(
        self, folder: Path, *, survives_a_kill: bool = False, sees: tuple[str, ...] = ()
    ) -> None:
        """Args:
        survives_a_kill: whether the tool itself knows what it had not finished.
        sees: the suffixes of other files that it makes anew what depends on.
        """
        self._folder = folder
        self._sees = sees
        self._survives_a_kill = survives_a_kill
        self._record = folder / _RECORD
        self._was = _load(self._record)

    def prepare(
        self, unseen: Mapping[str, Any], files: Mapping[str, str], *, assembler_reads: bool
    ) -> bool:
        """Make the folder ready for a build, and note that one is under way.

        Args:
            unseen: what no object depends on, by name; of values that JSON has.
            files: the digest of each file that is compiled or read, by its path.
            assembler_reads: whether one has the assembler read files (viper.firmware.assembler).

        Returns:
            Whether it begins anew: it is empty then but for the note.

        Raises:
            OSError: it cannot be written.
        """
        now = {"unseen": dict(unseen), "files": dict(files)}
        is_new = not self._may_go_on(now, assembler_reads)
        if is_new:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder.mkdir(parents=True)
            self._was = {"compiled": [], "included": [], "frozen": []}
        elif any(map(self._may_be_included, self._changed(files))):
            # A name may stand in a header alone.
            (self._folder / _COLLECTED).unlink(missing_ok=True)
        self._was = {**self._was, **now}
        (self._folder / _UNFINISHED).touch()
        atomic_file.write_json(self._record, self._was)
        return is_new

    def ended(self) -> None:
        """Note that the tool has come to an end of its own: with an error, or without."""
        (self._folder / _UNFINISHED).unlink(missing_ok=True)

    def done(
        self,
        unseen: Mapping[str, Any],
        *,
        compiled: Iterable[str],
        included: Iterable[str],
        frozen: Iterable[str],
    ) -> None:
        """Note what the build has told.

        Args:
            unseen: as it was in the end.
            compiled: files that have objects of their own.
            included: files that these include.
            frozen: files of Python that are in the firmware.

        Raises:
            OSError: it cannot be written.
        """
        self.ended()
        self._was |= {
            "unseen": dict(unseen),
            "compiled": sorted(compiled),
            "included": sorted(included),
            "frozen": sorted(frozen),
        }
        atomic_file.write_json(self._record, self._was)

    def _may_go_on(self, now: Mapping[str, Any], assembler_reads: bool) -> bool:
        was = self._was
        is_half = (self._folder / _UNFINISHED).exists() and not self._survives_a_kill
        if not was or is_half or was["unseen"] != now["unseen"]:
            return False
        if sorted(was["files"]) != sorted(now["files"]):
            return False
        return all(self._is_seen(path, assembler_reads) for path in self._changed(now["files"]))

    def _changed(self, files: Mapping[str, str]) -> list[str]:
        return [path for path in files if self._was["files"].get(path) != files[path]]

    def _is_seen(self, path: str, assembler_reads: bool) -> bool:
        """Whether make or ninja makes anew what depends on a file, and only that."""
        was = self._was
        if path in (*was["frozen"], *was["compiled"]) or path.endswith(self._sees):
            return True
        may_be_read = assembler_reads or not path.endswith(_SOURCES + _HEADERS)
        if path not in was["included"] and may_be_read:
            return False
        return all(each.with_suffix(".P").exists() for each in self._folder.rglob("*.o"))

    def _may_be_included(self, path: str) -> bool:
        was = self._was
        return path not in was["frozen"] and (
            path in was["included"] or not path.endswith(_SOURCES)
        )


def _load(record: Path) -> dict[str, Any]:
    """The record; empty if it cannot be read."""
    try:
        document = json.loads(record.read_bytes())
        if set(document) == {"unseen", "files", "compiled", "included", "frozen"}:
            return dict(document)
    except (OSError, ValueError, TypeError):
        pass
    return {}
