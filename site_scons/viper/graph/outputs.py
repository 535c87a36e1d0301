# SPDX-License-Identifier: MIT
"""What each step has made, by content: what is used is what was made, or is made anew.

build/<BOARD>/made.json:

    {"build/…/app.bin": {"build/…/app.bin": "sha256"},
     "build/…/www.json": {"build/…/www.json": "…", "build/…/www/app.js.gz": "…"}}

A step is named by its first file; it may have made others than the graph knows. Whether
one still is what was made, a look at its status tells while that is the same (viper.base.contents),
and its content where that matters: before it goes to a device, to a cache, or into another step.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable
from pathlib import Path

from viper.base import atomic_file
from viper.base.contents import Contents
from viper.base.errors import UserError


class Outputs:
    """The outputs of one board. Any thread may ask."""

    def __init__(self, record: Path, contents: Contents) -> None:
        self._record = record
        self._contents = contents
        self._made = _load(record)
        self._digests = {
            path: digest for made in self._made.values() for path, digest in made.items()
        }
        self._lock = threading.Lock()
        self._is_new = False

    def made(self, step: str, files: Iterable[str]) -> None:
        """Note what a step has just made.

        Raises:
            OSError: a file of them cannot be read.
        """
        made = {file: self._contents.read(file) for file in files}
        with self._lock:
            for path in self._made.get(step, {}):
                self._digests.pop(path, None)
            self._made[step] = made
            self._digests |= made
            self._is_new = True

    def knows(self, path: str) -> bool:
        """Whether a step has made this file."""
        return path in self._digests

    def spoilt(self, step: str) -> list[str]:
        """The files of a step that are there and are not what it made, and besides that are gone.

        Of a step that nobody knows about, none: the graph itself says what is to be done.
        """
        found = []
        for path, digest in self._made.get(step, {}).items():
            try:
                if self._contents.digest(path) != digest:
                    found.append(path)
            except OSError:
                found.append(path)
        return found

    def check(self, files: Iterable[str]) -> None:
        """Read files that are about to be used: each that a step made must be what it made.

        Raises:
            UserError: one is not.
            OSError: one cannot be read.
        """
        for file in files:
            digest = self._digests.get(os.path.normpath(file))
            if digest is not None and self._contents.read(file) != digest:
                raise UserError(
                    f"{file} was changed after it was made", "the same again makes it anew"
                )

    def keep(self) -> None:
        """Write down what is new.

        Raises:
            OSError: it cannot be written.
        """
        if self._is_new and self._record.parent.is_dir():
            atomic_file.write(self._record, json.dumps(self._made).encode())
            self._is_new = False


def _load(record: Path) -> dict[str, dict[str, str]]:
    try:
        return {str(step): dict(made) for step, made in json.loads(record.read_bytes()).items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
