# SPDX-License-Identifier: MIT
"""One run at a time: two would measure each other."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import TracebackType

from viper.base.errors import UserError

FILE = ".lock"


class RunLock:
    """A file with the pid of the run that goes on; a context. One of a dead process is removed.

    Args:
        folder: where the file lies, made if missing.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE

    def __enter__(self) -> RunLock:
        """Take it.

        Raises:
            UserError: another run has it.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            try:
                with self._path.open("x", encoding="utf-8") as file:
                    file.write(str(os.getpid()))
                return self
            except FileExistsError:
                self._clear()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._path.unlink(missing_ok=True)

    def _clear(self) -> None:
        """Remove the lock of a process that is no more."""
        try:
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return  # its owner has just ended
        if not text.isdigit() or is_running(int(text)):
            raise UserError(
                f"another run goes on (process {text or 'unknown'})",
                f"wait for it; if there is no such run: remove {self._path}",
            )
        self._path.unlink(missing_ok=True)


def is_running(pid: int) -> bool:
    """Whether there is a process with this number."""
    if sys.platform == "win32":
        return _is_running_on_windows(pid)  # os.kill would end it there
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # another user's
    return True


def _is_running_on_windows(pid: int) -> bool:
    import ctypes

    synchronize, timed_out = 0x00100000, 0x00000102  # winnt.h, winbase.h
    kernel = ctypes.windll.kernel32  # type: ignore[attr-defined, unused-ignore]
    process = kernel.OpenProcess(synchronize, False, pid)
    if not process:
        return False
    try:
        return bool(kernel.WaitForSingleObject(process, 0) == timed_out)
    finally:
        kernel.CloseHandle(process)
