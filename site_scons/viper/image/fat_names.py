# SPDX-License-Identifier: MIT
"""Which names a FAT file system holds, as MicroPython's FatFs reads and writes them.

FatFs is built there for code page 437 with long names (`extmod/vfs_fat.mk`, `lib/oofatfs/ff.c`).
MicroPython hands it the UTF-8 bytes of a name, which it takes for characters of that code page:
"é" (C3 A9) lies on the disk as "├⌐", and comes back as "é". Images are made the same way.
"""

from __future__ import annotations

from collections.abc import Iterable

from viper.base.errors import UserError

NAME_MAX = 255  # bytes of UTF-8, each of which becomes one UTF-16 unit on the disk
_FORBIDDEN = frozenset('"*:<>?|\\\x7f') | {chr(code) for code in range(0x20)}


def stored(name: str) -> str:
    """The characters that stand for a name on the disk."""
    return name.encode().decode("cp437")


def check(paths: Iterable[str]) -> None:
    """Refuse paths that FAT cannot hold, alone or side by side.

    Args:
        paths: files, "/" between their parts.

    Raises:
        UserError: naming the first path that cannot be held, and why.
    """
    spelt: dict[str, str] = {}  # every file and folder, by its name without case
    files = sorted(paths)
    alone = {path.strip("/") for path in files}
    for path in files:
        parts = path.strip("/").split("/")
        for part in parts:
            _check_name(part, path)
        for depth in range(1, len(parts) + 1):
            prefix = "/".join(parts[:depth])
            other = spelt.setdefault(folded(prefix), prefix)
            if other != prefix:
                raise UserError(
                    f"{path}: FAT cannot tell '{prefix}' from '{other}'", "rename one of them"
                )
            if depth < len(parts) and prefix in alone:
                raise UserError(
                    f"{path}: '{prefix}' is a file, and cannot be a folder too",
                    "rename one of them",
                )


def _check_name(name: str, path: str) -> None:
    reason = ""
    forbidden = sorted(_FORBIDDEN.intersection(name))
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
    return "".join(c.upper() if len(c.upper()) == 1 else c for c in stored(path))
