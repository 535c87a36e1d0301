# SPDX-License-Identifier: MIT
"""A MicroPython tree as one input: every file of it that a build for one of its ports may read.

What git would say depends on the user's settings, and is little of submodules, of ignored files and
of what it was told to overlook; so the files are looked at themselves.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from viper.base.contents import Contents
from viper.base.errors import UserError
from viper.source.tree import Tree

# No part of a build for a port: repositories, what builds and ESP-IDF's component manager leave,
# and at the top the tests and documents, of which there are thousands.
_LEFT_OUT = {".git", "__pycache__", "build", "managed_components"}
_LEFT_OUT_AT_THE_TOP = {"tests", "docs", "logo"}


def find(folder: Path, port: str, contents: Contents) -> Tree:
    """The files, by their paths in the folder.

    Args:
        port: "unix" or "esp32": those of the others are left out.

    Raises:
        UserError: something there cannot be read.
    """
    found = {}
    for path, status in _files(str(folder), "", port, (os.path.realpath(folder),)):
        try:
            digest = contents.digest(f"{folder}/{path}", status)
        except OSError as problem:
            raise UserError(
                f"{folder}/{path} cannot be read: {problem.strerror}", f"ls -l {folder}"
            ) from None
        found[path] = f"{digest}x" if status.st_mode & 0o100 else digest
    return Tree(dict(sorted(found.items())))


def _files(
    root: str, below: str, port: str, above: tuple[str, ...]
) -> Iterator[tuple[str, os.stat_result]]:
    """The files in a folder.

    Args:
        above: the real paths of the tree and of the folders that links lead to on the way here.
    """
    with os.scandir(f"{root}/{below}") as entries:
        for entry in entries:
            name = entry.name
            if name in _LEFT_OUT or name.startswith("build-"):
                continue
            if not below and name in _LEFT_OUT_AT_THE_TOP:
                continue
            if below == "ports/" and name != port:
                continue
            if entry.is_dir():
                real = os.path.realpath(entry.path) if entry.is_symlink() else ""
                if real not in above:  # a link to a folder that it is in leads nowhere new
                    links = (*above, real) if real else above
                    yield from _files(root, f"{below}{name}/", port, links)
                continue
            try:
                status = entry.stat()
            except OSError:
                continue  # a link to nothing: nobody can read it
            if stat.S_ISREG(status.st_mode):
                yield f"{below}{name}", status
