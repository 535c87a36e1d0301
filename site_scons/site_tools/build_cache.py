"""Outputs shared between clones and people, by content: CACHE=<folder>, by SCons's CacheDir.

What is done to a device, and what a test or a measurement finds, are no outputs: they are deeds,
which SCons never caches.
"""

import atexit
from pathlib import Path

import SCons.CacheDir
import SCons.Script
from viper.base import console
from viper.base.errors import UserError, exits
from viper.graph import shared_cache


def exists(env):
    return True


@exits
def generate(env):
    if "CACHE" not in env or SCons.Script.GetOption("help"):
        return
    folder = Path(env["CACHE"]).expanduser().resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise UserError(
            f"CACHE={env['CACHE']}: {problem.strerror}",
            "give a folder that can be written, or none",
        ) from None
    _Cache.size = env["CACHE_SIZE"] * 1024 * 1024
    env.CacheDir(str(folder), custom_class=_Cache)


class _Cache(SCons.CacheDir.CacheDir):
    """SCons's keys, and entries of our own: no run ever fails for what a cache is or lacks."""

    size = 0
    is_full = False  # or cannot be written for another reason

    def _readconfig(self, path):
        """SCons keeps the length of folders' names in a file, which it locks and may not find."""
        self.config = {"prefix_len": 2}
        self.is_new_to_others = False

    def retrieve(self, node):
        if not self.is_enabled() or SCons.Script.GetOption("no_exec"):
            return False
        entry = Path(self.cachepath(node)[1])
        try:
            shared_cache.take(entry, Path(str(node)))
        except shared_cache.Damaged as problem:
            console.note(f"{problem}; it is made anew")
            return False
        except OSError:
            return False
        return True

    def push(self, node):
        if self.is_readonly() or not self.is_enabled() or node.nocache or self.is_full:
            return
        entry = Path(self.cachepath(node)[1])
        if entry.exists():
            return
        try:
            shared_cache.put(Path(str(node)), entry)
        except OSError as problem:
            if not self.is_full:
                self.is_full = True
                console.note(f"CACHE={self.path}: {problem.strerror}; what is made stays here")
            return
        self._trim_at_the_end()

    def _trim_at_the_end(self):
        if not self.is_new_to_others:
            self.is_new_to_others = True
            atexit.register(shared_cache.trim, Path(self.path), self.size)
