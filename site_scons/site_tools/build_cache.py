# SPDX-License-Identifier: MIT
"""Outputs shared between clones and people, by content: CACHE=<folder>, by SCons's CacheDir.

What is done to a device, and what a test or a measurement finds, are no outputs: they are tasks,
which SCons never caches.
"""

from __future__ import annotations

import atexit
from pathlib import Path

from toolkit import scons
from toolkit.scons import Environment
from toolkit.tool import load
from viper.base import console
from viper.base.console import human_size
from viper.base.errors import UserError, exits
from viper.graph import shared_cache


def exists(env: Environment) -> bool:
    return True


@exits
def generate(env: Environment) -> None:
    load(env, "run")
    options = env["RUN"].options
    if options.CACHE is None or scons.option("help"):
        return
    folder = Path(options.CACHE).expanduser().resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise UserError(
            f"CACHE={options.CACHE}: {problem.strerror}",
            "give a folder that can be written, or none",
        ) from None
    entries = _Entries(folder, options.CACHE_SIZE * 1024 * 1024)
    env["RUN"].shared = _ByKey(folder, entries)
    scons.cache(env, folder, entries)


class _Entries:
    """Entries of our own: no run ever fails for what a cache is or lacks."""

    def __init__(self, folder: Path, size: int) -> None:
        self._folder = folder
        self._size = size
        self._is_full = False  # or cannot be written for another reason
        self._is_new_to_others = False

    def take(self, entry: Path, target: Path) -> bool:
        try:
            shared_cache.take(entry, target)
        except shared_cache.Damaged as problem:
            console.note(f"{problem}; it is made anew")
            return False
        except OSError:
            return False
        return True

    def put(self, content: Path, entry: Path) -> None:
        if self._is_full or entry.exists():
            return
        try:
            shared_cache.put(content, entry)
        except OSError as problem:
            if not self._is_full:
                self._is_full = True
                console.note(f"CACHE={self._folder}: {problem.strerror}; what is made stays here")
            return
        self._trim_at_the_end()

    def _trim_at_the_end(self) -> None:
        if not self._is_new_to_others:
            self._is_new_to_others = True
            atexit.register(shared_cache.trim, self._folder, self._size)


class _ByKey:
    """The same entries, for steps that make files which are no nodes."""

    def __init__(self, folder: Path, entries: _Entries) -> None:
        self._folder = folder
        self._entries = entries

    def take(self, key: str, target: Path) -> bool:
        if not self._entries.take(self._entry(key), target):
            return False
        console.step("CACHE", f"{target}  {human_size(target.stat().st_size)}")
        return True

    def put(self, content: Path, key: str) -> None:
        self._entries.put(content, self._entry(key))

    def _entry(self, key: str) -> Path:
        return self._folder / key[:2].upper() / key
