# SPDX-License-Identifier: MIT
"""From reset to the application: what the ROM and the second-stage bootloader do, from flash only.

What is accepted, tried and written follows ESP-IDF v5.5.1 (components/bootloader_support/src) with
rollback enabled, as MicroPython builds it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from viper.image import app_image, otadata, partition_table
from viper.image.boot_order import BootOrder
from viper.image.partition_table import BINARY_SIZE, TABLE_OFFSET, Entry
from viper.image.sectors import SECTOR_SIZE
from viper.virtual_chip.chip import Chip
from viper.virtual_chip.nor_flash import FlashFault, NorFlash
from viper.virtual_chip.registers import REVISION

_HEADER_TRIES = 8  # how often the ROM looks for a bootloader before its watchdog resets it

Say = Callable[[str, str], None]  # a level, and a line of the boot log


class BootFailed(Exception):
    """Nothing in the flash boots; the log says why."""


class NoBootloader(Exception):
    """The ROM finds no second-stage bootloader, and waits for its watchdog; the log says so."""


@dataclass(frozen=True)
class Application:
    """What is to be executed."""

    executable: bytes
    address: int  # of its slot, bytes from the start of the flash


def boot(flash: NorFlash, chip: Chip, log: Callable[[str], None]) -> Application:
    """Find the application to run, and log the way to it.

    Args:
        flash: all that is looked at. otadata is written where the bootloader writes it.
        log: takes each line of the boot log, without its line end.

    Returns:
        The application that the chosen image carries.

    Raises:
        NoBootloader: there is not even one that could look for it.
        BootFailed: there is none.
        PowerLost: while otadata was written.
    """
    started = time.monotonic()

    def say(level: str, text: str) -> None:
        log(f"{level} ({int((time.monotonic() - started) * 1000)}) boot: {text}")

    flash_size = _check_bootloader(flash, chip, log)
    say("I", f"virtual {chip.name}, {flash_size >> 20} MB flash")
    try:
        order = BootOrder(_read_table(flash, flash_size, say))
        return _load(flash, chip, order, say)
    except (ValueError, FlashFault) as error:
        say("E", str(error))
        raise BootFailed from None


def _check_bootloader(flash: NorFlash, chip: Chip, log: Callable[[str], None]) -> int:
    """The ROM's part: the image at the start of the flash, which says how large the flash is."""
    start = chip.model.bootloader_offset
    data = flash.read(start, TABLE_OFFSET - start)
    try:
        image = app_image.parse(data)
        app_image.check_chip(image, chip.model)
    except ValueError as error:
        for _ in range(_HEADER_TRIES):
            log(f"invalid header: 0x{int.from_bytes(data[:4], 'little'):08x} ({error})")
        raise NoBootloader from None
    return image.flash_size


def _read_table(flash: NorFlash, flash_size: int, say: Say) -> partition_table.PartitionTable:
    try:
        table = partition_table.from_binary(flash.read(TABLE_OFFSET, BINARY_SIZE), flash_size)
    except ValueError as error:
        raise ValueError(f"partition table: {error}") from None
    for index, entry in enumerate(table):
        say(
            "I",
            f"{index:2} {entry.name:16} type {entry.type:02x} subtype {entry.subtype:02x}"
            f" at {entry.offset:#08x}, {entry.size:#x} bytes",
        )
    return table


def _load(flash: NorFlash, chip: Chip, order: BootOrder, say: Say) -> Application:
    """The first application that is whole; ValueError if there is none."""
    written = _begin_otadata(flash, order)
    for place, entry in order.tried(written):
        try:
            image = app_image.parse(flash.read(entry.offset, entry.size))
            app_image.check_chip(image, chip.model, REVISION)
            payload = app_image.payload(image)
        except (ValueError, FlashFault) as error:
            say("E", f"{entry.name} at {entry.offset:#x} is not bootable: {error}")
            continue
        if order.otadata is not None and written is not None:
            noted = otadata.noted(written, order.slots, place, has_factory=order.has_factory)
            _rewrite(flash, order.otadata, written, noted)
        say("I", f"loaded {entry.name} at {entry.offset:#x}{_describe(image)}")
        return Application(payload, entry.offset)
    raise ValueError("no bootable application in the partition table")


def _begin_otadata(flash: NorFlash, order: BootOrder) -> bytes | None:
    """What otadata holds once the bootloader has given up what was never confirmed."""
    entry = order.otadata
    if entry is None or entry.offset == 0:
        return None
    if entry.size < otadata.SIZE:
        raise ValueError(f"{entry.name} of {entry.size:#x} bytes is too small for otadata")
    before = flash.read(entry.offset, otadata.SIZE)
    after = otadata.after_boot(before, order.slots)
    _rewrite(flash, entry, before, after)
    return after


def _rewrite(flash: NorFlash, entry: Entry, before: bytes, after: bytes) -> None:
    for start in range(0, otadata.SIZE, SECTOR_SIZE):
        sector = slice(start, start + SECTOR_SIZE)
        if after[sector] != before[sector]:
            flash.erase(entry.offset + start, SECTOR_SIZE)
            flash.program(entry.offset + start, after[sector].rstrip(b"\xff"))


def _describe(image: app_image.Image) -> str:
    description = app_image.describe(image)
    return f": {description.project} {description.version}" if description else ""
