# SPDX-License-Identifier: MIT
"""Which names a FAT file system holds, as MicroPython's FatFs reads and writes them.

FatFs is built there for code page 437 with long names (`extmod/vfs_fat.mk`, `lib/oofatfs/ff.c`).
MicroPython hands it the UTF-8 bytes of a name, which it takes for characters of that code page:
"é" (C3 A9) lies on the disk as "├⌐", and comes back as "é". Images are made the same way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from viper.base.errors import UserError

NAME_MAX = 255  # bytes of UTF-8, each of which becomes one UTF-16 unit on the disk
_FORBIDDEN = re.compile(r'[\x00-\x1f"*:<>?|\\\x7f]')


def stored(name: str) -> str:
    """The characters that stand for a name on the disk."""
    return name if name.isascii() else name.encode().decode("cp437")


def check(paths: Iterable[str]) -> None:
    """Refuse paths that FAT cannot hold, alone or side by side.

    Args:
        paths: files, "/" between their parts.

    Raises:
        UserError: naming the first path that cannot be held, and why.
    """
    spelt: dict[str, str] = {}  # every file and folder, by its name without case
    files = {path.strip("/"): path for path in sorted(paths)}
    folders: set[str] = set()  # that were looked at
    for name, path in files.items():
        parts = name.split("/")
        for depth in range(1, len(parts) + 1):
            prefix = "/".join(parts[:depth])
            if prefix in folders:
                continue
            _check_name(parts[depth - 1], path)
            other = spelt.setdefault(folded(prefix), prefix)
            if other != prefix:
                raise UserError(
                    f"{path}: FAT cannot tell '{prefix}' from '{other}'", "rename one of them"
                )
            if depth == len(parts):
                continue
            if prefix in files:
                raise UserError(
                    f"{path}: '{prefix}' is a file, and cannot be a folder too",
                    "rename one of them",
                )
            folders.add(prefix)


def _check_name(name: str, path: str) -> None:
    reason = ""
    forbidden = _FORBIDDEN.search(name)
    if forbidden:
        reason = f"has {forbidden[0]!r}"
    elif name.endswith((".", " ")):
        reason = "ends with a dot or a space"
    elif not name or name in (".", ".."):
        reason = "is no name"
    elif len(name.encode(errors="surrogateescape")) > NAME_MAX:
        reason = f"is longer than {NAME_MAX} bytes"
    else:
        try:
            name.encode()
        except UnicodeEncodeError:
            reason = "is not valid UTF-8"
    if reason:
        raise UserError(f"{_shown(path)}: FAT cannot hold a name that {reason}", "rename it")


def _shown(path: str) -> str:
    """A path on one line, whatever is in it."""
    return "".join(c if c.isprintable() else "?" for c in path)


def folded(path: str) -> str:
    """Equal for paths that FatFs takes for the same."""
    if path.isascii():
        return path.upper()
    return "".join(c.upper() if len(c.upper()) == 1 else c for c in stored(path))
