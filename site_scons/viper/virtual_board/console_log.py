# SPDX-License-Identifier: MIT
"""What the board printed, on disk and bounded."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

_SIZE_LIMIT = 1024 * 1024


class ConsoleLog:
    """console.log, and the part before it in console.log.1 once it has grown to a mebibyte."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)

    def write(self, data: bytes) -> None:
        """Append; a disk that is full costs the log, not the board."""
        with contextlib.suppress(OSError):
            self._append(data)

    def _append(self, data: bytes) -> None:
        if os.fstat(self._fd).st_size + len(data) > _SIZE_LIMIT:
            # Copied, not moved: whoever follows the file keeps it.
            shutil.copyfile(self._path, self._path.with_suffix(".log.1"))
            os.ftruncate(self._fd, 0)
        os.write(self._fd, data)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._fd)
