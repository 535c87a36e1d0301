# SPDX-License-Identifier: MIT
"""Entries of a cache that builds share: verified when they are taken, bounded in size.

An entry is a file named by its key, 32 hexadecimal digits, in a folder of the key's first two. It
is the content, deflated, after 32 bytes that are the SHA-256 of the key and of what follows. A
damaged entry, and one that stands under another entry's name, is thereby known. It is no protection
against a person who may write to the cache's folder: who shares a cache trusts those who fill it.

Who may read and write entries is who may read and write the cache's folder, whatever the umask of
the one who made them.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from viper.base import atomic_file

_DIGEST = 32
_LEVEL = 1  # images are mostly one byte over and over; the rest hardly shrinks
_KEY = re.compile(r"[0-9a-f]{32}")
_UNFINISHED = re.compile(_KEY.pattern + r"\.\w+\.part")
_ABANDONED_S = 3600.0  # an unfinished entry that is older belongs to nobody


class Damaged(Exception):
    """An entry that is not what was put in under its key."""


def put(content: Path, entry: Path) -> None:
    """Make an entry, whose file's name is its key, of a file; whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    shared = entry.parents[1].stat().st_mode
    if not entry.parent.is_dir():
        entry.parent.mkdir(exist_ok=True)
        entry.parent.chmod(shared & 0o7777)
    executable = 0o111 if content.stat().st_mode & 0o100 else 0
    deflated = zlib.compress(content.read_bytes(), _LEVEL)
    handle, name = tempfile.mkstemp(".part", f"{entry.name}.", entry.parent)
    unfinished = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(_digest(entry.name, deflated) + deflated)
        unfinished.chmod(shared & (0o666 | executable))
        unfinished.replace(entry)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def take(entry: Path, target: Path) -> None:
    """Write an entry's content to `target`, whole or not at all, and note that it was used.

    Raises:
        Damaged: it is not what was put in; the entry is removed, if it may be.
        OSError: it cannot be read, or the target cannot be written.
    """
    with entry.open("rb") as file:
        raw, mode = file.read(), os.fstat(file.fileno()).st_mode
    digest, deflated = raw[:_DIGEST], raw[_DIGEST:]
    if digest != _digest(entry.name, deflated):
        with suppress(OSError):
            entry.unlink()
        raise Damaged(f"{entry} is damaged")
    atomic_file.write(target, zlib.decompress(deflated))
    if mode & 0o100:
        target.chmod(target.stat().st_mode | 0o111)
    with suppress(OSError):
        os.utime(entry)


def trim(folder: Path, size: int) -> None:
    """Remove the entries that were used longest ago, until the rest takes up `size` bytes at most.

    Others may take, put in and trim meanwhile: an entry that is gone already is no matter, nor is
    one of somebody else's that may not be removed. What is no entry stays.
    """
    entries = sorted(_entries(folder))
    total = sum(entry_size for _, entry_size, _ in entries)
    for _, entry_size, path in entries:
        if total <= size:
            break
        with suppress(OSError):
            path.unlink()
            total -= entry_size


def _entries(folder: Path) -> Iterator[tuple[float, int, Path]]:
    """When each entry was last used, its size and its path; without those that were abandoned."""
    too_old = time.time() - _ABANDONED_S
    for path in folder.glob("[0-9A-F][0-9A-F]/*"):
        with suppress(OSError):
            status = path.stat()
            if _KEY.fullmatch(path.name):
                yield status.st_mtime, status.st_size, path
            elif _UNFINISHED.fullmatch(path.name) and status.st_mtime < too_old:
                path.unlink()


def _digest(key: str, deflated: bytes) -> bytes:
    return hashlib.sha256(os.fsencode(key) + b"\0" + deflated).digest()
