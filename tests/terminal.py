# SPDX-License-Identifier: MIT
"""A command on a terminal of its own, typed to and read as a person does."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import termios
import time
from pathlib import Path


class Terminal:
    """A running command whose standard input, output and error are one terminal.

    Attributes:
        seen: all that the terminal has shown.
    """

    def __init__(self, command: list[str], folder: Path) -> None:
        self._ours, theirs = pty.openpty()
        self.seen = ""
        self._looked_at = 0
        self._process = subprocess.Popen(
            ["setsid", "--ctty", *command],
            cwd=folder,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)

    def type(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def expect(self, text: str, within_s: float = 30.0) -> str:
        """Read until `text` has come after what was expected before; what came up to its end."""
        deadline = time.monotonic() + within_s
        while (start := self.seen.find(text, self._looked_at)) < 0:
            left = deadline - time.monotonic()
            assert left > 0, f"no {text!r} in {self.seen[self._looked_at :]!r}"
            assert self._read(left), f"ended without {text!r}: {self.seen[self._looked_at :]!r}"
        end = start + len(text)
        found, self._looked_at = self.seen[self._looked_at : end], end
        return found

    def echoes(self) -> bool:
        """Whether the terminal shows what is typed."""
        return bool(termios.tcgetattr(self._ours)[3] & termios.ECHO)

    def end(self, within_s: float = 30.0) -> int:
        """Wait for the end; the exit status."""
        deadline = time.monotonic() + within_s
        while self._read(max(0.0, deadline - time.monotonic())):
            pass
        return self._process.wait(max(0.1, deadline - time.monotonic()))

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        os.close(self._ours)

    def _read(self, within_s: float) -> bool:
        """Take what the terminal shows next; False at its end, or when nothing comes in time."""
        if not select.select([self._ours], [], [], within_s)[0]:
            return False
        try:
            data = os.read(self._ours, 65536)
        except OSError:  # nobody has the other end any more
            return False
        self.seen += data.decode(errors="replace")
        return True
