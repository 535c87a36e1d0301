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

# No part of a build for a port: repositories, tests, documents, and what builds leave.
_LEFT_OUT = {".git", "tests", "docs", "logo", "examples", "__pycache__", "build"}
_LEFT_OUT |= {"managed_components"}  # of ESP-IDF's component manager


def find(folder: Path, port: str, contents: Contents) -> Tree:
    """The files, by their paths in the folder.

    Args:
        port: "unix" or "esp32": those of the others are left out.

    Raises:
        UserError: something there cannot be read.
    """
    found = {}
    for path, status in _files(str(folder), "", port):
        try:
            digest = contents.digest(f"{folder}/{path}", status)
        except OSError as problem:
            raise UserError(
                f"{folder}/{path} cannot be read: {problem.strerror}", f"ls -l {folder}"
            ) from None
        found[path] = f"{digest}x" if status.st_mode & 0o100 else digest
    return Tree(dict(sorted(found.items())))


def _files(root: str, below: str, port: str) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(f"{root}/{below}") as entries:
        for entry in entries:
            name = entry.name
            if name in _LEFT_OUT or name.startswith("build-"):
                continue
            if below == "ports/" and name != port:
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _files(root, f"{below}{name}/", port)
                continue
            try:
                status = entry.stat()
            except OSError:
                continue  # a link to nothing: nobody can read it
            if stat.S_ISREG(status.st_mode):
                yield f"{below}{name}", status
