# SPDX-License-Identifier: MIT
"""One build at a time in one folder: the second waits, and says for whom."""

from __future__ import annotations

import fcntl
import os
import shlex
import sys
from pathlib import Path

from viper.base import console, process


class BuildLock:
    """The lock on a build folder, held until `release` or the end of this process.

    It is flock's, so a holder that is killed frees it. The tools that a build starts hold it too:
    the next build waits for a compiler that a killed one has left behind.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / ".lock"
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._file, 400, 0).decode(errors="replace").strip()
            console.step("WAIT", f"for the build that has {folder}: {holder or 'just started'}")
            fcntl.flock(self._file, fcntl.LOCK_EX)
        os.truncate(self._file, 0)
        typed = [word for word in sys.argv[1:] if word != "-Q"]  # which ./scons adds
        command = shlex.join(["./scons", *typed])
        os.pwrite(self._file, f"pid {os.getpid()}, {command}\n".encode(), 0)
        process.inherit(self._file)

    def release(self) -> None:
        """Let others build, while this process goes on with something that builds nothing."""
        fcntl.flock(self._file, fcntl.LOCK_UN)
