# SPDX-License-Identifier: MIT
"""A page of memory shared with the running application: counters and faults of the hardware."""

from __future__ import annotations

import mmap
import os
import struct

PAGE_SIZE = 4096
NO_SECTOR = 0xFFFFFFFF
UNLIMITED = -1
_KEPT = slice(2048, 2048 + 64)  # port/posix.c: memory that lasts over a reset


class _Field:
    """One little-endian integer at a fixed place in the page."""

    def __init__(self, layout: str, offset: int) -> None:
        self._layout = struct.Struct(layout)
        self._offset = offset

    def __get__(self, page: ChipPage, owner: type[ChipPage]) -> int:
        value: int = self._layout.unpack_from(page.memory, self._offset)[0]
        return value

    def __set__(self, page: ChipPage, value: int) -> None:
        self._layout.pack_into(page.memory, self._offset, value)


class ChipPage:
    """The page, which both the board and its application count in and obey.

    Attributes:
        bytes_programmed: bytes of flash programmed since the board was started.
        sectors_erased: 4 KiB sectors erased since the board was started.
        power_budget: bytes that can be programmed before the power fails; UNLIMITED for never.
        bad_sector: index of the sector that neither erases nor programs; NO_SECTOR for none.
        psram_size: bytes of PSRAM on the board.
    """

    bytes_programmed = _Field("<Q", 0)
    sectors_erased = _Field("<Q", 8)
    power_budget = _Field("<q", 16)
    bad_sector = _Field("<I", 24)
    psram_size = _Field("<I", 28)

    def __init__(self, mac: bytes, psram_size: int) -> None:
        self.fd = os.memfd_create("chip")
        os.ftruncate(self.fd, PAGE_SIZE)
        self.memory = mmap.mmap(self.fd, PAGE_SIZE)
        self.power_budget = UNLIMITED
        self.bad_sector = NO_SECTOR
        self.psram_size = psram_size
        self.memory[32:38] = mac

    def forget_kept(self) -> None:
        """What lasts over resets is lost with the power."""
        self.memory[_KEPT] = bytes(_KEPT.stop - _KEPT.start)

    def close(self) -> None:
        """Let go of the page."""
        self.memory.close()
        os.close(self.fd)
