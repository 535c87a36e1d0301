# SPDX-License-Identifier: MIT
"""otadata: the two flash sectors that say which application slot boots.

Each sector begins with `{seq u32, label[20], state u32, crc u32}`. The greater valid seq wins and
names the slot (seq - 1) modulo the number of OTA slots; with neither, `factory` boots, or the first
slot where there is no factory application.
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
_VALID = 2  # a state

FACTORY = -1  # where `first_tried` has the factory application among the slots


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
        return not self.is_excluded and self.crc == _crc(self.seq)

    @property
    def is_excluded(self) -> bool:
        """Whether it is erased, or its slot was given up."""
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


def first_tried(data: bytes, slots: int, *, has_factory: bool) -> int:
    """What the bootloader tries first: n of ota_n, or FACTORY.

    Args:
        data: the partition's 8192 bytes, as `after_boot` leaves them.
        slots: how many OTA slots the partition table has.
        has_factory: whether it has a factory application.

    Raises:
        ValueError: as `parse`.
    """
    if _selects_nothing(data, slots):
        return FACTORY if has_factory else 0
    active = _active(data)
    if active is None:
        return FACTORY
    return (parse(data)[active].seq - 1) % 2**32 % slots  # seq 0 wraps, as the bootloader's does


def noted(data: bytes, slots: int, booted: int, *, has_factory: bool) -> bytes:
    """What the bootloader leaves there of the slot that boots, where nothing was written before.

    Args:
        data: as `after_boot` leaves it.
        slots: how many OTA slots the partition table has.
        booted: n of ota_n, or another partition's place in the order.
        has_factory: whether the partition table has a factory application.
    """
    is_written = any(found.seq != _ERASED and found.crc == _crc(found.seq) for found in parse(data))
    if has_factory or booted < 0 or is_written or not _selects_nothing(data, slots):
        return data
    record = _RECORD.pack(booted + 1, b"\xff" * 20, _VALID, _crc(booted + 1))
    return record.ljust(SECTOR_SIZE, b"\xff") + data[SECTOR_SIZE:]


def blank() -> bytes:
    """An erased partition: `factory` boots."""
    return b"\xff" * SIZE


def after_boot(data: bytes, slots: int) -> bytes:
    """What the bootloader leaves there when it may roll back, as MicroPython's does.

    An application that was booted once and never confirmed is given up; then a NEW one that is
    about to boot becomes PENDING_VERIFY.

    Args:
        data: the partition's 8192 bytes.
        slots: how many OTA slots the partition table has.
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
    if slots and active is not None and parse(given_up)[active].state == State.NEW:
        set_state(active, State.PENDING_VERIFY)
    return b"".join(sectors)


def _selects_nothing(data: bytes, slots: int) -> bool:
    """Whether both sectors are erased or given up, or there is no slot that they could name."""
    return not slots or all(found.is_excluded for found in parse(data))


def _active(data: bytes) -> int | None:
    """Which sector decides: the greater seq of those that select, the first if they are equal."""
    records = parse(data)
    candidates = [index for index, found in enumerate(records) if found.selects]
    return max(candidates, key=lambda index: records[index].seq, default=None)


def _crc(seq: int) -> int:
    return zlib.crc32(struct.pack("<L", seq), 0xFFFFFFFF)
