# SPDX-License-Identifier: MIT
"""A flash chip in memory for tests of the flash logic: NOR, and it can lose power."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

SECTOR = 4096


class PowerLost(Exception):
    """The chip stopped in the middle of something."""


class NorChip:
    """A `flash_session.Chip`.

    Attributes:
        flash: its content.
        erased, queries: how many sectors were erased, how many MD5s were asked for.
        sent: how many bytes were read.
        power: bytes that can be programmed before the power fails; None for any number.
    """

    def __init__(self, sectors: int, mac: str = "7c2c67000001") -> None:
        self.mac = mac
        self.flash = bytearray(b"\xff" * sectors * SECTOR)
        self.erased: list[int] = []
        self.queries = 0
        self.sent = 0
        self.power: int | None = None
        self.worn_out: int | None = None  # a sector that stays erased

    def md5(self, offset: int, size: int) -> bytes:
        assert 0 <= offset <= offset + size <= len(self.flash)
        self.queries += 1
        return hashlib.md5(self.flash[offset : offset + size]).digest()

    def read(self, offset: int, size: int) -> bytes:
        assert 0 <= offset <= offset + size <= len(self.flash)
        self.sent += size
        return bytes(self.flash[offset : offset + size])

    def erase(self, offset: int, size: int) -> None:
        assert offset % SECTOR == size % SECTOR == 0
        self.flash[offset : offset + size] = b"\xff" * size
        self.erased += range(offset // SECTOR, (offset + size) // SECTOR)

    def write(self, offset: int, content: bytes, progress: Callable[[int], None]) -> None:
        for at in range(0, len(content), SECTOR):
            self.erase(offset + at, SECTOR)
            piece = content[at : at + SECTOR]
            if (offset + at) // SECTOR != self.worn_out:
                self._program(offset + at, piece)
            progress(at + len(piece))

    def _program(self, offset: int, data: bytes) -> None:
        kept = len(data) if self.power is None else min(self.power, len(data))
        for at in range(kept):
            self.flash[offset + at] &= data[at]
        if self.power is not None:
            self.power -= kept
            if kept < len(data):
                raise PowerLost
