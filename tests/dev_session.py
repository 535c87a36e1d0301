# SPDX-License-Identifier: MIT
"""`./scons dev`, running: what it prints can be waited for."""

from __future__ import annotations

import re
import signal
import subprocess
import threading

_LIMIT_S = 120.0  # a build of the firmware, on a machine that is busy with other things


class DevSession:
    """A running loop.

    Args:
        process: as `Project.start("dev", ...)` returns it.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._output: list[str] = []
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._changed:
                self._output.append(line)
                self._changed.notify()

    @property
    def output(self) -> str:
        return "".join(self._output)

    def wait_for(self, pattern: str, since: int = 0) -> re.Match[str]:
        """Wait until it prints something, after its first `since` characters."""

        def found() -> re.Match[str] | None:
            return re.search(pattern, self.output[since:], re.MULTILINE)

        with self._changed:
            self._changed.wait_for(found, _LIMIT_S)
        match = found()
        assert match, self.output
        return match

    def page(self) -> str:
        """The address of the page, once it is there."""
        return self.wait_for(r"^DEV +(\S+)")[1]

    def interrupt(self) -> None:
        """Press Ctrl-C, and wait for its end."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait(_LIMIT_S)
        self._reader.join()

    def close(self) -> None:
        self.interrupt()
        assert self._process.stdout is not None
        self._process.stdout.close()
