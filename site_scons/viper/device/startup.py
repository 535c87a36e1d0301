# SPDX-License-Identifier: MIT
"""How an application has started, by what the device prints."""

from __future__ import annotations

import re

from viper.base import console
from viper.base.errors import UserError
from viper.base.printable import excerpt

_TAIL = 16 * 1024  # bytes of what was printed in which a traceback is looked for

# A traceback, and then MicroPython's banner and its prompt, with nothing behind them: what was to
# serve has ended.
_ENDED = re.compile(
    r"Traceback \(most recent call last\):\n((?:  .*\n)+)(\w.*)\n"
    r"(?:MicroPython .*\nType .*\n)?>>> \Z"
)
_PLACE = re.compile(r'File "([^"]+)", line (\d+)')


def ended_by(printed: bytes) -> str:
    """The traceback that an application has ended with as it started; "" if it has not."""
    found = _ENDED.search(printed[-_TAIL:].decode(errors="replace").replace("\r\n", "\n"))
    return f"{found[1]}{found[2]}" if found else ""


def failed(traceback: str, next_step: str) -> UserError:
    """The error for it, once its lines have been shown."""
    *calls, error = traceback.splitlines()
    for line in (*calls, error):
        console.note(f"  | {line}")
    places = [_PLACE.search(line) for line in calls]
    where = next((f"{at[1]} line {at[2]}: " for at in reversed(places) if at), "")
    return UserError(f"the application ends as it starts: {where}{excerpt(error)}", next_step)
