# SPDX-License-Identifier: MIT
"""A device's port, held by one process for one piece of work after the other.

Opening a port over a network takes longer than what one saved file changes, so the line stays open
between two syncs. Whether it is still there shows when it is used again: a board that was unplugged
or switched off meanwhile is opened anew, and one that was reset is asked for its prompt, as ever.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from viper.device.repl import DeviceRepl
from viper.ports import port


class HeldPort:
    """A port with its lock, and the REPL on it if that is open; a context that lets go of both."""

    def __init__(self, pid: int, yields: bool = False) -> None:
        """Holds nothing yet.

        Args:
            pid: the process that others are told to have the port.
            yields: it is let go of for others; see `port.lock`.
        """
        self._pid = pid
        self._yields = yields
        self._url = ""
        self._lock = ExitStack()
        self._repl: DeviceRepl | None = None
        self._repl_url = ""

    def __enter__(self) -> HeldPort:
        return self

    def __exit__(self, *_: object) -> None:
        self.let_go()

    def hold(self, url: str, called: str) -> None:
        """Hold a port alone, and no other one.

        Args:
            url, called: as in `port.lock`.

        Raises:
            UserError: another process holds it; it is named.
        """
        if url != self._url:
            self.let_go()
            self._lock.enter_context(
                port.lock(url, called=called, pid=self._pid, yields=self._yields)
            )
            self._url = url

    def let_go(self) -> None:
        """Close the line, and leave the port to others."""
        self.close_line()
        self._lock.close()
        self._url = ""

    @contextmanager
    def repl(self, url: str, again: str) -> Iterator[DeviceRepl]:
        """The REPL on an open line, which stays open unless the work on it fails.

        Args:
            url: what pyserial opens; it differs from the held one when a reset has moved the port.
            again: the next step after work that broke off.

        Raises:
            UserError: it cannot be opened.
        """
        if url != self._repl_url:
            self.close_line()
        with suppress(OSError):
            self.forget_printed()
        if self._repl is None:
            self._repl, self._repl_url = DeviceRepl(url, again), url
        self._repl.again = again
        try:
            yield self._repl
        except BaseException:
            self.close_line()
            raise

    def forget_printed(self) -> None:
        """Drop what the device has printed since the line was last used.

        Raises:
            OSError: the line is gone; it has been closed.
        """
        if self._repl is None:
            return
        try:
            self._repl.forget_printed()
        except OSError:
            self.close_line()
            raise

    def close_line(self) -> None:
        """Close the line, for another user of the port in this process."""
        if self._repl is not None:
            with suppress(OSError):
                self._repl.serial.close()
            self._repl, self._repl_url = None, ""
