# SPDX-License-Identifier: MIT
"""One build at a time in one folder: the second waits, and says for whom; questions do not wait."""

from __future__ import annotations

import fcntl
import os
import shlex
import sys
from pathlib import Path
from typing import NoReturn

from viper.base import console, process


class BuildLock:
    """The lock on a build folder, held until `release` or the end of this process, if it is free.

    It is flock's, so a holder that is killed frees it. The tools that a build starts hold it too:
    the next build waits for a compiler that a killed one has left behind.

    Attributes:
        holder: who has it, as that one has said; empty if it is this process.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._file = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self.holder = ""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            told = os.pread(self._file, 400, 0).decode(errors="replace").strip()
            self.holder = told or "just started"
            return
        os.truncate(self._file, 0)
        typed = [word for word in sys.argv[1:] if word != "-Q"]  # which ./scons adds
        command = shlex.join(["./scons", *typed])
        os.pwrite(self._file, f"pid {os.getpid()}, {command}\n".encode(), 0)
        process.inherit(self._file)

    def begin_again(self) -> NoReturn:
        """Wait until it is free, then do all that was typed from the start: what was read of inputs
        and outputs meanwhile is not what the other build has left.
        """
        console.step("WAIT", f"for the build that has {self._folder}: {self.holder}")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, "-m", "SCons", *sys.argv[1:]])

    def release(self) -> None:
        """Let others build, while this process goes on with something that builds nothing."""
        fcntl.flock(self._file, fcntl.LOCK_UN)
