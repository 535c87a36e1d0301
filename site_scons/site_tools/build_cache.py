"""Outputs shared between clones and people, by content: CACHE=<folder>, by SCons's CacheDir.

What is done to a device, and what a test or a measurement finds, are no outputs: they are deeds,
which SCons never caches.
"""

import atexit
from pathlib import Path

import SCons.CacheDir
import SCons.Script
from viper import build_cache, console
from viper.errors import UserError, exits


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
    env.CacheDir(str(folder), custom_class=_Cache)
    atexit.register(build_cache.trim, folder, env["CACHE_SIZE"] * 1024 * 1024)


class _Cache(SCons.CacheDir.CacheDir):
    def retrieve(self, node):
        """As SCons does, without its own line: the run's task prints ours."""
        if not self.is_enabled():
            return False
        return SCons.CacheDir.CacheRetrieveSilent(node, [], node.get_build_env(), execute=1) == 0

    @classmethod
    def copy_to_cache(cls, env, src, dst):
        build_cache.put(Path(src), Path(dst))
        return dst

    @classmethod
    def copy_from_cache(cls, env, src, dst):
        try:
            build_cache.take(Path(src), Path(dst))
        except build_cache.Damaged as problem:
            console.note(f"{problem}; it is made anew")
            raise
        return dst
