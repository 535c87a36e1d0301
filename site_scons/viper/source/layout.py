# SPDX-License-Identifier: MIT
"""What the files of a firmware are called in the stage, and so in the build id.

There they lie as in ViperHTTP's own checkout, wherever that is and whosever they are:

    firmware/, boards/           ViperHTTP's
    firmware/cmodules/<MODULE>/  a project's own, of its folder modules/
    boards/<NAME>/               a project's own

So the same files make the same firmware for every project.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from viper.base.errors import UserError
from viper.source import checkout

BOARDS = "boards"
MODULES = "firmware/cmodules"
OWN_MODULES = "modules"


@dataclass(frozen=True)
class Layout:
    """Folders by what they are called in the stage.

    Attributes:
        folders: the folder of each original, by that of its copy, relative to the project and to
            the stage; of two that lie in each other, the inner one is first. What is in none of
            them has the same path in both.
    """

    folders: Mapping[str, str]

    def name(self, path: str) -> str:
        """What a file is called in the stage."""
        for copy, original in self.folders.items():
            if path.startswith(f"{original}/"):
                return f"{copy}/{path[len(original) + 1 :]}"
        return path

    def original(self, name: str) -> str:
        """The file or folder that is called so in the stage."""
        for copy, original in self.folders.items():
            if f"{name}/".startswith(f"{copy}/"):
                return f"{original}{name[len(copy) :]}"
        return name


def find() -> Layout:
    """The layout of the project in the working folder.

    Raises:
        UserError: a module or a board of the project's own has the name of one of ViperHTTP's.
    """
    if checkout.IS_HERE:
        return Layout({})
    own = {**_folders(OWN_MODULES, MODULES), **_folders(BOARDS, BOARDS)}
    for copy, original in own.items():
        if (checkout.FOLDER / copy).exists():
            raise UserError(f"{original}: ViperHTTP has a {copy} of its own", f"rename {original}")
    ours = {name: (checkout.FOLDER / name).as_posix() for name in ("firmware", BOARDS)}
    return Layout({**own, **ours})


def _folders(parent: str, staged: str) -> dict[str, str]:
    if not Path(parent).is_dir():
        return {}
    found = sorted(path.name for path in Path(parent).iterdir() if path.is_dir())
    return {f"{staged}/{name}": f"{parent}/{name}" for name in found}
