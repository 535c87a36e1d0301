"""Entries of a cache that builds share: verified when they are taken, bounded in size.

An entry is a file named by its key, in a folder of the key's first two digits. It is the content,
deflated, after 32 bytes that are the SHA-256 of the key and of what follows. A damaged entry, and
one that stands under another entry's name, is thereby known. It is no protection against a person
who may write to the cache's folder: who shares a cache trusts those who fill it.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from pathlib import Path

from viper import atomic_file

_DIGEST = 32
_LEVEL = 1  # images are mostly one byte over and over; the rest hardly shrinks


class Damaged(Exception):
    """An entry that is not what was put in under its key."""


def put(content: Path, entry: Path) -> None:
    """Write an entry, whose file's name is its key; to be put in its place by a rename.

    It has the content's mode.
    """
    deflated = zlib.compress(content.read_bytes(), _LEVEL)
    entry.write_bytes(_digest(entry.name, deflated) + deflated)
    entry.chmod(content.stat().st_mode)


def take(entry: Path, target: Path) -> None:
    """Write an entry's content to `target`, whole or not at all.

    Raises:
        Damaged: it is not what was put in; the entry is removed.
        OSError: it cannot be read.
    """
    raw = entry.read_bytes()
    digest, deflated = raw[:_DIGEST], raw[_DIGEST:]
    if digest != _digest(entry.name, deflated):
        entry.unlink(missing_ok=True)
        raise Damaged(f"{entry} is damaged")
    atomic_file.write(target, zlib.decompress(deflated))


def trim(folder: Path, size: int) -> None:
    """Remove the entries that were used longest ago, until the rest takes up `size` bytes at most.

    Others may take, put in and trim meanwhile: an entry that is gone already is no matter.
    """
    entries: list[tuple[float, int, Path]] = []
    for path in folder.glob("??/*"):
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        if path.is_file():
            entries.append((status.st_mtime, status.st_size, path))
    total = sum(entry_size for _, entry_size, _ in entries)
    for _, entry_size, path in sorted(entries):
        if total <= size:
            break
        path.unlink(missing_ok=True)
        total -= entry_size


def _digest(key: str, deflated: bytes) -> bytes:
    return hashlib.sha256(os.fsencode(key) + b"\0" + deflated).digest()
