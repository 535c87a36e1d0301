# SPDX-License-Identifier: MIT
"""What becomes of a file of the user's that stands where one of ours is to be: THEIRS=...

THEIRS=keep                        all of them stay
THEIRS=overwrite:/main.py          this one goes, and others stop the work
THEIRS=keep,overwrite:/main.py     this one goes, all others stay
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

KEEP, OVERWRITE = "keep", "overwrite"


@dataclass(frozen=True)
class Theirs:
    """What the user has decided: KEEP, OVERWRITE, or "" where nothing is."""

    every: str
    by_path: Mapping[str, str]

    def decision(self, path: str) -> str:
        """What is decided of a file on the device."""
        return self.by_path.get(path, self.every)


def parse(text: str) -> Theirs:
    """What THEIRS says.

    Raises:
        ValueError: it says something else.
    """
    every, by_path = "", {}
    for part in filter(None, text.split(",")):
        word, colon, path = part.partition(":")
        if word not in (KEEP, OVERWRITE) or (colon and not path.startswith("/")):
            raise ValueError(f"neither {KEEP} nor {OVERWRITE}, alone or as {KEEP}:/path")
        if colon:
            by_path[path] = word
        else:
            every = word
    return Theirs(every, by_path)
