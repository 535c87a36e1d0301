# SPDX-License-Identifier: MIT
"""ccache in front of a compiler, where it is installed, with whatever store its user has given it.

A hit in another clone needs what ccache hashes to be free of the clone's folder: paths below it are
made relative, the folder itself is left out (nothing we compile records it), and the compiler is
known by its content, not by its file's time. Options: ccache's manual, "Configuration options".
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

_PREFIX = "CCACHE_"


def command() -> list[str]:
    """What goes before the compiler: ccache, or nothing where it is missing."""
    return ["ccache"] if shutil.which("ccache") else []


def environment(root: Path, unseen: Path | None = None) -> dict[str, str]:
    """The variables for a build: ccache's own of the user, and those that let clones share hits.

    Args:
        root: the project's folder.
        unseen: a file that changes with what ccache does not know an object to be made from.
    """
    given = {name: value for name, value in os.environ.items() if name.startswith(_PREFIX)}
    if unseen is not None:
        others = given.get("CCACHE_EXTRAFILES", "")
        given["CCACHE_EXTRAFILES"] = f"{others}{os.pathsep if others else ''}{unseen.absolute()}"
    return {
        **given,
        "CCACHE_BASEDIR": str(root.resolve()),
        "CCACHE_NOHASHDIR": "1",
        "CCACHE_COMPILERCHECK": "content",
    }
