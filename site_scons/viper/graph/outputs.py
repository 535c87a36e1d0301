# SPDX-License-Identifier: MIT
"""What each step has made, by content: what is used is what was made, or is made anew.

build/<BOARD>/made.json:

    {"made": {"build/…/app.bin": {"build/…/app.bin": "sha256"},
              "build/…/www.json": {"build/…/www.json": "…", "build/…/www/app.js.gz": "…"}},
     "overtaken": ["build/…/www.json"]}

A step is named by its first file; it may have made others than the graph knows. Whether
one still is what was made, a look at its status tells while that is the same (viper.base.contents),
and its content where that matters: before it goes to a device, to a cache, or into another step.

A step is overtaken if an input changed while it ran: it may have been made from another content
than the graph has written down for it, which nobody could tell once the first content is back.
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
        self._made, self._overtaken = _load(record)
        self._digests = {
            path: digest for made in self._made.values() for path, digest in made.items()
        }
        self._lock = threading.Lock()
        self._is_new = False

    def made(self, step: str, files: Iterable[str], *, is_overtaken: bool = False) -> None:
        """Note what a step has just made.

        Args:
            is_overtaken: whether an input of it has changed meanwhile.

        Raises:
            OSError: a file of them cannot be read.
        """
        made = {file: self._contents.read(file) for file in files}
        with self._lock:
            for path in self._made.get(step, {}):
                self._digests.pop(path, None)
            self._made[step] = made
            (self._overtaken.add if is_overtaken else self._overtaken.discard)(step)
            self._digests |= made
            self._is_new = True

    def knows(self, path: str) -> bool:
        """Whether a step has made this file."""
        return path in self._digests

    def is_overtaken(self, step: str) -> bool:
        """Whether an input of a step changed while it was last made."""
        return step in self._overtaken

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
            document = {"made": self._made, "overtaken": sorted(self._overtaken)}
            atomic_file.write(self._record, json.dumps(document).encode())
            self._is_new = False


def _load(record: Path) -> tuple[dict[str, dict[str, str]], set[str]]:
    try:
        document = json.loads(record.read_bytes())
        made = {str(step): dict(files) for step, files in document["made"].items()}
        return made, set(document["overtaken"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}, set()
