# SPDX-License-Identifier: MIT
"""The copy of MicroPython that the esp32 port is built in.

ESP-IDF's component manager writes into the project that it configures: it puts components beside
it, and rewrites its lock file. The checkout is the pin and several boards share it, so each board
has a copy, kept the same as its source file by file.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

_PORT = "esp32"
_COMPONENTS = "managed_components"  # what the component manager fetches stays

# No part of a build for the port: repositories, tests, documents, and what builds leave.
_LEFT_OUT = {".git", "tests", "docs", "__pycache__", "build", _COMPONENTS}


def sync(parts: Mapping[str, Path], tree: Path) -> None:
    """Make `tree` the same as its sources, writing only what differs.

    Args:
        parts: the folder that is copied to each path in the tree; "" for all of it.

    Raises:
        OSError: it cannot be written.
    """
    wanted = {
        Path(where) / name: folder / name
        for where, folder in parts.items()
        for name in _files(folder)
    }
    for name in set(_files(tree)) - set(wanted):
        (tree / name).unlink()
    for name, source in wanted.items():
        target = tree / name
        if not _same(source, target):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
            # The time is copied last: a copy that was cut off differs.
            shutil.copy2(source, target, follow_symlinks=False)


def _files(folder: Path) -> Iterator[Path]:
    """Every file of a MicroPython tree that a build may read, relative to it."""
    for parent, folders, names in os.walk(folder):
        here = Path(parent).relative_to(folder)
        folders[:] = [
            name
            for name in folders
            if name not in _LEFT_OUT
            and not name.startswith("build-")
            and (here != Path("ports") or name == _PORT)
        ]
        yield from (here / name for name in names)


def _same(source: Path, target: Path) -> bool:
    try:
        there = target.lstat()
    except OSError:
        return False
    here = source.lstat()
    return (here.st_size, here.st_mtime_ns) == (there.st_size, there.st_mtime_ns)
