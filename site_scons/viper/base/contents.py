# SPDX-License-Identifier: MIT
"""What files hold, without reading again those that are as they were.

A file is taken for the same only if its size, its inode and its times of modification and of change
(of the inode, which no program can set back) are, to the nanosecond, those that it was read with.
One that had changed within two seconds before it was read is read again the next time: some clocks
are coarse, those of Windows' drives above all, and a second change may not show.

build/contents.json remembers it: {"app/main.py": [size, inode, mtime, ctime, "sha256"], ...}
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable
from pathlib import Path

from viper.base import atomic_file

_SETTLED_NS = 2_000_000_000
_CHUNK = 1 << 20


class Contents:
    """The digests of files, of one project. Any thread may ask."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known = _load(path)
        self._fresh: dict[str, list[int | str]] = {}  # of this run: trusted until it ends
        self._changed = False

    def digest(self, path: str, status: os.stat_result | None = None) -> str:
        """The SHA-256 of a file, in hexadecimal digits.

        Args:
            status: its status, if the caller has just asked for it.

        Raises:
            OSError: it cannot be read.
        """
        status = Path(path).stat() if status is None else status
        known = self._known.get(path) or self._fresh.get(path)
        if known is not None and _matches(known, status):
            return str(known[4])
        return self.read(path)

    def read(self, path: str) -> str:
        """The same, from the content itself, whatever is known.

        Raises:
            OSError: it cannot be read.
        """
        with Path(path).open("rb", buffering=0) as file:
            before = os.fstat(file.fileno())
            digest = hashlib.sha256()
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
            after = os.fstat(file.fileno())
        self._note(path, before, after, digest.hexdigest())
        return digest.hexdigest()

    def content(self, path: str) -> tuple[bytes, str]:
        """A file's content and its digest.

        Raises:
            OSError: it cannot be read.
        """
        with Path(path).open("rb", buffering=0) as file:
            before = os.fstat(file.fileno())
            content = file.readall()
            after = os.fstat(file.fileno())
        digest = hashlib.sha256(content).hexdigest()
        self._note(path, before, after, digest)
        return content, digest

    def wrote(self, path: str, digest: str) -> None:
        """Note what has just been written to a file, which nobody else writes to."""
        status = Path(path).stat()
        self._note(path, status, status, digest)

    def keep(self) -> None:
        """Write what is known to the file, if there is anything new.

        Raises:
            OSError: it cannot be written.
        """
        if not self._changed or not self._path.parent.is_dir():
            return
        known = {path: each for path, each in self._known.items() if os.path.lexists(path)}
        text = ",\n".join(
            f"{json.dumps(path)}: {json.dumps(each)}" for path, each in sorted(known.items())
        )
        atomic_file.write(self._path, f"{{\n{text}\n}}\n".encode())
        self._changed = False

    def _note(self, path: str, before: os.stat_result, after: os.stat_result, digest: str) -> None:
        self._known.pop(path, None)
        self._fresh.pop(path, None)
        if _signature(before) != _signature(after):
            return  # it changed while it was read
        entry: list[int | str] = [*_signature(after), digest]
        now = time.time_ns()
        changed = max(after.st_ctime_ns, after.st_mtime_ns if after.st_mtime_ns <= now else 0)
        (self._known if now - changed > _SETTLED_NS else self._fresh)[path] = entry
        self._changed = True


def stamps(paths: Iterable[str]) -> dict[str, tuple[int, int, int, int] | None]:
    """What tells of each file that it was written to, though it may hold what it held before; None
    for one that is not there.
    """
    found: dict[str, tuple[int, int, int, int] | None] = {}
    for path in paths:
        try:
            found[path] = _signature(Path(path).stat())
        except OSError:
            found[path] = None
    return found


def _signature(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns


def _matches(known: list[int | str], status: os.stat_result) -> bool:
    return (
        known[3] == status.st_ctime_ns
        and known[2] == status.st_mtime_ns
        and known[1] == status.st_ino
        and known[0] == status.st_size
    )


def _load(path: Path) -> dict[str, list[int | str]]:
    """What the file says, as far as it can be read: what is forgotten is read again."""
    try:
        known = json.loads(path.read_bytes())
        return {
            name: entry
            for name, entry in known.items()
            if len(entry) == 5 and all(map(isinstance, entry, (int, int, int, int, str)))
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
