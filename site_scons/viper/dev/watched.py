# SPDX-License-Identifier: MIT
"""What is saved in the project's folders: all that the graph reads, and nothing that it ignores.

Links are followed as the graph follows them. Of a linked folder the system tells what happens in
it; of a linked file it does not, so the folders that such files stand in are watched besides.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path

from viper.base.errors import UserError
from viper.source import ignored
from viper.source.ignored import IgnoreList

_REMEMBERED = Path("build/ignored.json")
_STEP_MS = 20  # an editor's writes of one save lie closer together
_DEBOUNCE_MS = 200


class Watched:
    """The project's folders. The working folder is the project's root."""

    def __init__(self, folders: Iterable[str], note: Callable[[set[Path]], None]) -> None:
        """Args:
        folders: those that are there.
        note: told what was saved, removed or added, by paths relative to the project's root.
        """
        self._note = note
        self._folders = _outermost(folders)
        self._ignore_list = _ignore_list()
        self._linked = _linked_files(self._folders)
        self._others_linked = asyncio.Event()

    async def watch(self) -> None:
        """Watch until it is cancelled."""
        await asyncio.gather(self._watch_folders(), self._watch_others())

    async def _watch_folders(self) -> None:
        from watchfiles import awatch

        async for changes in awatch(
            *self._folders, watch_filter=None, step=_STEP_MS, debounce=_DEBOUNCE_MS
        ):
            saved = {Path(os.path.relpath(path)) for _, path in changes}
            saved = {path for path in saved if not self._is_ignored(path)}
            if saved:
                self._note(saved)
            if _linked_files(self._folders) != self._linked:
                self._others_linked.set()

    async def _watch_others(self) -> None:
        """The ignore list, and files that others are links to."""
        from watchfiles import awatch

        while True:
            self._others_linked.clear()
            linked = self._linked = _linked_files(self._folders)
            async for changes in awatch(
                Path.cwd(),
                *{str(Path(target).parent) for target in linked},
                recursive=False,
                watch_filter=partial(_is_one_of, {*linked, str(ignored.FILE.absolute())}),
                step=_STEP_MS,
                debounce=_DEBOUNCE_MS,
                stop_event=self._others_linked,
            ):
                paths = [linked.get(path, {Path(os.path.relpath(path))}) for _, path in changes]
                saved = set[Path]().union(*paths)
                if ignored.FILE in saved:
                    self._ignore_list = _ignore_list()
                self._note(saved)

    def _is_ignored(self, path: Path) -> bool:
        if self._ignore_list is None:
            return False
        folders = [folder.as_posix() for folder in path.parents if folder != Path()]
        return any(
            self._ignore_list.ignores(folder, is_folder=True) for folder in folders
        ) or self._ignore_list.ignores(path.as_posix(), is_folder=path.is_dir())


def _outermost(folders: Iterable[str]) -> list[str]:
    """Those of some folders that are in no other of them."""
    paths = set(map(Path, folders))
    return sorted(str(path) for path in paths if not paths & {*path.parents})


def _is_one_of(wanted: set[str], _change: object, path: str) -> bool:
    return path in wanted


def _ignore_list() -> IgnoreList | None:
    """The list as it stands; None if it cannot be read, of which the next run tells."""
    with suppress(UserError):
        listed = IgnoreList(_REMEMBERED)
        listed.ignores("", is_folder=False)  # each line is looked at
        return listed
    return None


def _linked_files(folders: Iterable[str]) -> dict[str, set[Path]]:
    """The links to files in some folders, by the absolute path of the file."""
    found: dict[str, set[Path]] = {}
    for folder in folders:
        for parent, _, names in os.walk(folder):
            for name in names:
                path = Path(parent, name)
                if path.is_symlink() and path.is_file():
                    found.setdefault(os.path.realpath(path), set()).add(path)
    return found
