# SPDX-License-Identifier: MIT
"""A folder of objects, make's or ninja's: when it may be gone on with, and when it begins anew.

Both compile again what a changed file is known to go into: a source, what it includes, what is
frozen. All else an object depends on unseen: flags, makefiles, a manifest's options, settings, a
compiler, a file that has come or gone and that a search would find now. Whether such a thing has
changed is seen here, from what the folder was last brought to; then the objects go. ccache gives
back those that come out the same.

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

    def prepare(self, unseen: Mapping[str, Any], files: Mapping[str, str]) -> bool:
        """Make the folder ready for a build, and note that one is under way.

        Args:
            unseen: what no object depends on, by name; of values that JSON has.
            files: the digest of each file that is compiled or read, by its path.

        Returns:
            Whether it begins anew: it is empty then but for the note.

        Raises:
            OSError: it cannot be written.
        """
        now = {"unseen": dict(unseen), "files": dict(files)}
        is_new = not self._may_go_on(now)
        if is_new:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder.mkdir(parents=True)
            self._was = {"included": [], "frozen": []}
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
        self, unseen: Mapping[str, Any], included: Iterable[str], frozen: Iterable[str]
    ) -> None:
        """Note what the build has told: what was unseen, what is included, what is frozen.

        Raises:
            OSError: it cannot be written.
        """
        self.ended()
        self._was |= {
            "unseen": dict(unseen), "included": sorted(included), "frozen": sorted(frozen),
        }  # fmt: skip
        atomic_file.write_json(self._record, self._was)

    def _may_go_on(self, now: Mapping[str, Any]) -> bool:
        was = self._was
        is_half = (self._folder / _UNFINISHED).exists() and not self._survives_a_kill
        if not was or is_half or was["unseen"] != now["unseen"]:
            return False
        if sorted(was["files"]) != sorted(now["files"]):
            return False
        return all(map(self._is_seen, self._changed(now["files"])))

    def _changed(self, files: Mapping[str, str]) -> list[str]:
        return [path for path in files if self._was["files"].get(path) != files[path]]

    def _is_seen(self, path: str) -> bool:
        """Whether make or ninja makes anew what depends on a file, and only that."""
        if not self._may_be_included(path) or path.endswith(self._sees):
            return True
        if not (path in self._was["included"] or path.endswith(_HEADERS)):
            return path.endswith(_SOURCES)
        # MicroPython's rules for assembler write no dependency file: who knows what it includes.
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
        if set(document) == {"unseen", "files", "included", "frozen"}:
            return dict(document)
    except (OSError, ValueError, TypeError):
        pass
    return {}
