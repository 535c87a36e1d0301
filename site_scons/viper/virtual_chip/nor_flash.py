# SPDX-License-Identifier: MIT
"""The flash chip: a file that behaves like NOR flash, with faults to order."""

from __future__ import annotations

import hashlib
import mmap
import os
from pathlib import Path

from viper.image.sectors import SECTOR_SIZE
from viper.virtual_chip.shared_page import UNLIMITED, ChipPage

_ERASED = b"\xff"
_MANUFACTURER = 0xEF  # Winbond: W25Q family, as on many ESP32-S3 modules
_MEMORY_TYPE = 0x40


class FlashFault(Exception):
    """The chip did not do it: a sector that fails, or an address beyond its end."""


class PowerLost(Exception):
    """The power failed while programming; what came before it is in the flash."""


class NorFlash:
    """A file of the chip's size: erasing sets the bits of a sector, programming only clears bits.

    Args:
        path: the file; made, erased, if it is missing.
        size: bytes, a multiple of SECTOR_SIZE.
        page: where operations are counted and faults are told.

    Raises:
        ValueError: the file exists with another size.
    """

    def __init__(self, path: Path, size: int, page: ChipPage) -> None:
        self.size = size
        self._page = page
        if not path.exists():
            fresh = path.with_suffix(".new")
            fresh.write_bytes(_ERASED * size)
            fresh.replace(path)  # a flash file is there whole or not at all
        self.fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        actual = os.fstat(self.fd).st_size
        if actual != size:
            os.close(self.fd)
            raise ValueError(f"{path} has {actual} bytes; the board's flash has {size}")
        self._cells = mmap.mmap(self.fd, size)

    def close(self) -> None:
        """Let go of the file that holds the cells."""
        self._cells.close()
        os.close(self.fd)

    @property
    def jedec_id(self) -> int:
        """The answer to command 9F as a 24-bit number, first byte lowest."""
        capacity = self.size.bit_length() - 1
        return _MANUFACTURER | _MEMORY_TYPE << 8 | capacity << 16

    @property
    def sfdp(self) -> bytes:
        """The discoverable parameters (JESD216) that tools read to see that a chip is there."""
        header = b"SFDP" + bytes([6, 1, 0, 0xFF])
        basic_table = bytes([0x00, 6, 1, 2, 0x80, 0, 0, 0xFF])  # two words at 0x80
        words = b"\xe5\x20\xf1\xff" + (self.size * 8 - 1).to_bytes(4, "little")
        return (header + basic_table).ljust(0x80, _ERASED) + words

    def read(self, offset: int, size: int) -> bytes:
        """Bytes of the flash; FlashFault beyond its end."""
        self.check_range(offset, size)
        return self._cells[offset : offset + size]

    def md5(self, offset: int, size: int) -> bytes:
        """The 16-byte MD5 of a range; FlashFault beyond the end."""
        self.check_range(offset, size)
        with memoryview(self._cells) as cells:
            return hashlib.md5(cells[offset : offset + size], usedforsecurity=False).digest()

    def is_blank(self, offset: int, size: int) -> bool:
        """Whether every byte of a range is erased."""
        return self.read(offset, size) == _ERASED * size

    def erase(self, offset: int, size: int) -> None:
        """Erase whole sectors.

        Raises:
            FlashFault: not whole sectors, beyond the end, or a sector that fails. The sectors
                before it are erased.
            PowerLost: the power budget is used up.
        """
        self.check_range(offset, size)
        if offset % SECTOR_SIZE or size % SECTOR_SIZE:
            raise FlashFault(f"erasing {size:#x} bytes at {offset:#x} is not whole sectors")
        if size and self._page.power_budget == 0:
            raise PowerLost
        good = self._size_before_bad_sector(offset, size)
        self._cells[offset : offset + good] = _ERASED * good
        self._page.sectors_erased += good // SECTOR_SIZE
        if good < size:
            raise FlashFault(f"sector {self._page.bad_sector:#x} does not erase")

    def program(self, offset: int, data: bytes) -> None:
        """Clear the bits that are 0 in data.

        Raises:
            FlashFault: beyond the end, or a sector that fails. The bytes before it are programmed.
            PowerLost: the power budget does not last; as many bytes as it had are programmed.
        """
        self.check_range(offset, len(data))
        good = self._size_before_bad_sector(offset, len(data))
        budget = self._page.power_budget
        done = good if budget == UNLIMITED else min(good, budget)

        before = self._cells[offset : offset + done]
        if before == _ERASED * done:
            self._cells[offset : offset + done] = data[:done]
        else:
            both = int.from_bytes(before, "little") & int.from_bytes(data[:done], "little")
            self._cells[offset : offset + done] = both.to_bytes(done, "little")
        self._page.bytes_programmed += done

        if budget != UNLIMITED:
            self._page.power_budget = budget - done
            if done < good:
                raise PowerLost
        if done < len(data):
            raise FlashFault(f"sector {self._page.bad_sector:#x} does not program")

    def check_range(self, offset: int, size: int) -> None:
        """FlashFault if a range does not lie within the flash."""
        if offset < 0 or size < 0 or offset + size > self.size:
            raise FlashFault(f"{size:#x} bytes at {offset:#x} are beyond the flash")

    def _size_before_bad_sector(self, offset: int, size: int) -> int:
        """How many of the bytes come before the sector that fails."""
        bad_start = self._page.bad_sector * SECTOR_SIZE
        if offset + size <= bad_start or offset >= bad_start + SECTOR_SIZE:
            return size
        return max(0, bad_start - offset)
