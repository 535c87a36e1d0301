# SPDX-License-Identifier: MIT
"""How an application has started, by what the device prints."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from viper.base import console
from viper.base.errors import UserError
from viper.base.printable import excerpt

_TAIL = 16 * 1024  # bytes of what was printed in which the end of an application is looked for
_RESTARTS = 3  # in a row, without an answer: it is not coming up

# How long the end of an application must stand until it is believed: what was printed before a
# reset is still there when the reset begins, and a server may be started beside the prompt.
_RESET_S = 0.5
_BESIDE_S = 2.0

# MicroPython's banner and its prompt, with nothing behind them: what was to serve has ended.
_PROMPT = re.compile(r"^(?:MicroPython .*\nType .*\n)?>>> \Z", re.MULTILINE)
_TRACEBACK = re.compile(
    r"Traceback \(most recent call last\):\n((?:  .*\n)+)(\w.*)\n" + _PROMPT.pattern, re.MULTILINE
)
# Restarts from here on are the application's own: a reset from without, or the prompt.
_BEGUN = re.compile(r"^(?:rst:0x1 .*|>>> |raw REPL; )", re.MULTILINE)
_RESTART = re.compile(r"^(?:MPY: soft reboot|(?:ESP-ROM:.*\n)?rst:.*)\n", re.MULTILINE)
_PLACE = re.compile(r'File "([^"]+)", line (\d+)')


@dataclass(frozen=True)
class Ending:
    """How an application has ended, and leaves no server."""

    traceback: str = ""
    restarts: bool = False  # it begins anew, again and again
    last: str = ""  # the line that it printed last before it did

    @property
    def stands_s(self) -> float:
        """How long it must stand until it is believed."""
        return _RESET_S if self.traceback or self.restarts else _BESIDE_S

    def error(self, next_step: str) -> UserError:
        """The error for it, once the lines of its traceback have been shown."""
        if self.restarts:
            said = f"; it printed last: {excerpt(self.last)}" if self.last else ""
            return UserError(
                f"the application restarts the device again and again{said}",
                f"sys.exit() and machine.reset() do that; {next_step}",
            )
        if not self.traceback:
            return UserError(
                "the application ends as it starts, and serves nothing",
                f"app.start() or app.run() serves; {next_step}",
            )
        *calls, error = self.traceback.splitlines()
        for line in (*calls, error):
            console.note(f"  | {line}")
        places = [_PLACE.search(line) for line in calls]
        where = next((f"{at[1]} line {at[2]}: " for at in reversed(places) if at), "")
        return UserError(
            f"the application ends as it starts: {where}{excerpt(error)}",
            next_step,
        )


_AT_PROMPT = Ending()


class Startup:
    """Looks at what a device prints, until it serves or its application has ended.

    Args:
        next_step: what to type when that is mended.
        asked: whether it is asked for its page meanwhile; else a server beside the prompt would
            not be noticed.
    """

    def __init__(self, next_step: str, *, asked: bool) -> None:
        self._next_step = next_step
        self._asked = asked
        self._since: float | None = None  # when its end was first seen

    def look(self, printed: bytes) -> None:
        """See that the application has not ended.

        Args:
            printed: all that the device has printed, or as much of it as there is.

        Raises:
            UserError: it has.
        """
        ended = ending(printed[-_TAIL:])
        if ended is None or (ended == _AT_PROMPT and not self._asked):
            self._since = None
            return
        self._since = self._since or time.monotonic()
        if time.monotonic() - self._since >= ended.stands_s:
            raise ended.error(self._next_step)


def ending(printed: bytes) -> Ending | None:
    """How an application has ended as it starts, by what was printed last; None if it has not."""
    said = printed.decode(errors="replace").replace("\r\n", "\n")
    if found := _TRACEBACK.search(said):
        return Ending(f"{found[1]}{found[2]}")
    *_, begun = _BEGUN.split(said)
    restarts = list(_RESTART.finditer(begun))
    if len(restarts) >= _RESTARTS:
        before = begun[restarts[-2].end() : restarts[-1].start()].splitlines()
        return Ending(restarts=True, last=before[-1] if before else "")
    return _AT_PROMPT if _PROMPT.search(said) else None
