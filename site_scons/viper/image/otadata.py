"""otadata: the two flash sectors that say which application slot boots.

Each sector begins with `{seq u32, label[20], state u32, crc u32}`. The greater valid seq wins and
names the slot (seq - 1) modulo the number of OTA slots; with neither, `factory` boots.
Source: ESP-IDF v5.5.1, esp_flash_partitions.h, bootloader_common_loader.c, bootloader_utility.c.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum

from viper.image.sectors import SECTOR_SIZE

SIZE = 2 * SECTOR_SIZE  # bytes of the partition

_RECORD = struct.Struct("<L20sLL")
_ERASED = 0xFFFFFFFF


class State(IntEnum):
    """What is known of an application that was updated to, as far as the bootloader acts upon it.

    With the others, VALID (2) and UNDEFINED (0xFFFFFFFF), it boots without limits.
    """

    NEW = 0  # written, not booted yet
    PENDING_VERIFY = 1  # booted once; booting again without a confirmation aborts it
    INVALID = 3  # found bad by itself: never booted
    ABORTED = 4  # never confirmed: never booted


@dataclass(frozen=True)
class Record:
    """One of the two sectors' contents."""

    seq: int  # 1 and up; 0xFFFFFFFF in an erased sector
    state: int  # a State, or whatever the flash holds
    crc: int  # of seq

    @property
    def selects(self) -> bool:
        """Whether its crc is right, and its state lets its slot boot."""
        return not self._excluded and self.crc == _crc(self.seq)

    @property
    def _excluded(self) -> bool:
        return self.seq == _ERASED or self.state in (State.INVALID, State.ABORTED)


def parse(data: bytes) -> tuple[Record, Record]:
    """Read both sectors.

    Raises:
        ValueError: `data` is not the size of the partition.
    """
    if len(data) != SIZE:
        raise ValueError(f"otadata is {len(data)} bytes, not {SIZE}")
    first, second = (
        Record(seq, state, crc)
        for seq, _label, state, crc in (_RECORD.unpack_from(data, at) for at in (0, SECTOR_SIZE))
    )
    return first, second


def selected_slot(data: bytes, ota_slots: int) -> int | None:
    """The slot that boots: n of ota_n, or None for `factory`.

    Args:
        data: the partition's 8192 bytes.
        ota_slots: how many OTA slots the partition table has.

    Raises:
        ValueError: as `parse`.
    """
    active = _active(data)
    if active is None or ota_slots == 0:
        return None
    return (parse(data)[active].seq - 1) % ota_slots


def blank() -> bytes:
    """An erased partition: `factory` boots."""
    return b"\xff" * SIZE


def after_boot(data: bytes) -> bytes:
    """What the bootloader leaves there when it may roll back, as MicroPython's does.

    An application that was booted once and never confirmed is given up; then a NEW one that is
    about to boot becomes PENDING_VERIFY.
    """
    sectors = [bytearray(data[:SECTOR_SIZE]), bytearray(data[SECTOR_SIZE:])]

    def set_state(index: int, state: State) -> None:
        # The bootloader erases the sector and writes the record back.
        head = sectors[index][: _RECORD.size]
        struct.pack_into("<L", head, 24, state)
        sectors[index][:] = bytes(head).ljust(SECTOR_SIZE, b"\xff")

    for index, found in enumerate(parse(data)):
        if found.state == State.PENDING_VERIFY:
            set_state(index, State.ABORTED)
    given_up = b"".join(sectors)
    active = _active(given_up)
    if active is not None and parse(given_up)[active].state == State.NEW:
        set_state(active, State.PENDING_VERIFY)
    return b"".join(sectors)


def _active(data: bytes) -> int | None:
    """Which sector decides: the greater seq of those that select, the first if they are equal."""
    records = parse(data)
    candidates = [index for index, found in enumerate(records) if found.selects]
    return max(candidates, key=lambda index: records[index].seq, default=None)


def _crc(seq: int) -> int:
    return zlib.crc32(struct.pack("<L", seq), 0xFFFFFFFF)
