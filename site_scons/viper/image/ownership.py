# SPDX-License-Identifier: MIT
"""Which files on a device are ours: what flashes and syncs have put there, as the device notes it.

The note lies in the device's file system, and in the image of one. What is not in it is the user's.
Its form is that of firmware/python/sync_switch.py, which keeps it up to date.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = "/.sync"  # of what a sync keeps on the device
PATH = f"{FOLDER}/ours"

_FIELDS = {"+": 5, "?": 5, "-": 3, ">": 3, "=": 3, ".": 3, "!": 4, "x": 2}  # of each action

Line = Sequence[str]
"""An action or a state, a path, and what else it takes; see firmware/python/sync_switch.py."""


@dataclass(frozen=True)
class Ownership:
    """What a device notes of the files that were put there."""

    files: Mapping[str, str] = field(default_factory=dict)  # sha256, in hex, by path
    # ... of those that a sync took out, which are served until the next one:
    retired: Mapping[str, str] = field(default_factory=dict)
    # The user's, where a file of ours was to be: the sha256 of both.
    kept: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    digest: str = ""  # which tells it from others; empty if the device has none

    def known(self) -> dict[str, str]:
        """The sha256 of all that was put there."""
        return {**self.retired, **self.files}

    def is_of(self, files: Mapping[str, str]) -> bool:
        """Whether it is that of an image with these files, and nothing else."""
        return self.files == files and not self.retired and not self.kept

    def after(self, intent: Iterable[Line], digest: str) -> Ownership:
        """What the device notes when a sync has done what an intent says.

        Args:
            digest: that of the note, as the device says.
        """
        files, retired, kept = dict(self.files), dict(self.retired), dict(self.kept)
        for action, path, *more in intent:
            if action == ">":
                new = more[0]
                files = {renamed(each, path, new): sha256 for each, sha256 in files.items()}
                retired = {renamed(each, path, new): sha256 for each, sha256 in retired.items()}
                kept = {renamed(each, path, new): both for each, both in kept.items()}
                continue
            files.pop(path, None)
            retired.pop(path, None)
            kept.pop(path, None)
            if action in "+=":
                files[path] = more[0]
            elif action == ".":
                retired[path] = more[0]
            elif action == "!":
                kept[path] = (more[0], more[1])
        return Ownership(files, retired, kept, digest)


def of_image(files: Mapping[str, str]) -> Ownership:
    """What is noted in the image of a file system.

    Args:
        files: sha256, in hex, of the files that are ours, by path.
    """
    return Ownership(dict(files), digest=hashlib.sha256(note(files)).hexdigest())


def note(files: Mapping[str, str]) -> bytes:
    """The note of files that are ours."""
    return encode(("=", path, files[path]) for path in sorted(files))


def encode(lines: Iterable[Line]) -> bytes:
    """Lines as they lie on a device."""
    return b"".join("\t".join(line).encode() + b"\n" for line in lines)


def of_lines(lines: Iterable[Line], digest: str) -> Ownership:
    """What a note says.

    Raises:
        ValueError: they are none.
    """
    found = list(lines)
    if any(not line or len(line) != _FIELDS.get(line[0]) for line in found):
        raise ValueError("no note of files")
    return Ownership().after(found, digest)


def is_note(path: str) -> bool:
    """Whether a file on a device is one that a sync keeps there for itself."""
    return path.startswith(f"{FOLDER}/")


def recorded(image: Path) -> Iterator[dict[str, str]]:
    """The files of the builds that are kept beside an image, each as sha256 by path.

    What a device that has no note may have got from here; see viper.graph.history.

    Args:
        image: files.json or flash.json of a board.
    """
    for build in (image.parent / "builds").glob("*.json"):
        try:
            files = json.loads(build.read_text(encoding="utf-8"))["files"]
            yield {path: about["sha256"] for path, about in files.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue  # another version's


def renamed(path: str, old: str, new: str) -> str:
    """A path after a file, or a folder that it is in, has got another name."""
    return new + path[len(old) :] if path == old or path.startswith(f"{old}/") else path
