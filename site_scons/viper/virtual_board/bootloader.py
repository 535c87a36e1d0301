"""From reset to the application: what the ROM and the second-stage bootloader do, from flash only.

The order in which slots are tried, and what is written to otadata, follow ESP-IDF v5.5.1
(bootloader_support/src/bootloader_utility.c) with rollback enabled, as MicroPython builds it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from viper.image import app_image, otadata, partition_table
from viper.image.partition_table import Entry, PartitionTable
from viper.image.sectors import SECTOR_SIZE
from viper.virtual_board.chip import Chip
from viper.virtual_board.nor_flash import FlashFault, NorFlash

_FACTORY = -1  # the factory application's place in the order of slots


class BootFailed(Exception):
    """Nothing in the flash boots; the log says why."""


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
        BootFailed: there is none.
        PowerLost: while otadata was written.
    """
    started = time.monotonic()

    def say(level: str, text: str) -> None:
        log(f"{level} ({int((time.monotonic() - started) * 1000)}) boot: {text}")

    _check_bootloader(flash, chip, log)
    say("I", f"virtual {chip.name}, {chip.flash_size >> 20} MB flash")
    try:
        table = _read_table(flash)
    except (ValueError, FlashFault) as error:
        say("E", f"partition table: {error}")
        raise BootFailed from None
    for index, entry in enumerate(table):
        say(
            "I",
            f"{index:2} {entry.name:16} type {entry.type:02x} subtype {entry.subtype:02x}"
            f" at {entry.offset:#08x}, {entry.size:#x} bytes",
        )

    ota_slots = table.ota_slots()
    slots = dict(enumerate(ota_slots))
    factory = table.find(partition_table.APP, partition_table.FACTORY)
    if factory is not None:
        slots[_FACTORY] = factory
    selected = _select(flash, table, len(ota_slots), has_factory=factory is not None)
    for index in _order(selected, len(ota_slots)):
        if index not in slots:
            continue
        entry = slots[index]
        try:
            image = app_image.parse(flash.read(entry.offset, entry.size))
            payload = app_image.payload(image)
        except (ValueError, FlashFault) as error:
            say("E", f"{entry.name} at {entry.offset:#x} is not bootable: {error}")
            continue
        say("I", f"loaded {entry.name} at {entry.offset:#x}{_describe(image)}")
        return Application(payload, entry.offset)
    say("E", "no bootable application in the partition table")
    raise BootFailed


def _check_bootloader(flash: NorFlash, chip: Chip, log: Callable[[str], None]) -> None:
    """The ROM's part: the image at the start of the flash."""
    start = partition_table.BOOTLOADER_OFFSET
    image = flash.read(start, partition_table.TABLE_OFFSET - start)
    try:
        if chip.chip_id != app_image.CHIP_ID_ESP32S3:
            raise ValueError(f"this board boots no {chip.name}")
        app_image.parse(image)
    except ValueError as error:
        log(f"invalid header: 0x{int.from_bytes(image[:4], 'little'):08x} ({error})")
        raise BootFailed from None


def _read_table(flash: NorFlash) -> PartitionTable:
    data = flash.read(partition_table.TABLE_OFFSET, partition_table.BINARY_SIZE)
    return partition_table.from_binary(data)


def _select(flash: NorFlash, table: PartitionTable, ota_slots: int, *, has_factory: bool) -> int:
    """The slot that otadata asks for, after the bootloader's own changes to it."""
    entry = table.find(partition_table.DATA, partition_table.OTADATA)
    if entry is None or entry.size < otadata.SIZE:
        return _FACTORY
    before = flash.read(entry.offset, otadata.SIZE)
    after = otadata.after_boot(before)
    _rewrite_sectors(flash, entry, before, after)
    slot = otadata.selected_slot(after, ota_slots)
    if slot is not None:
        return slot
    return _FACTORY if has_factory else 0


def _rewrite_sectors(flash: NorFlash, entry: Entry, before: bytes, after: bytes) -> None:
    for start in range(0, otadata.SIZE, SECTOR_SIZE):
        sector = slice(start, start + SECTOR_SIZE)
        if after[sector] != before[sector]:
            flash.erase(entry.offset + start, SECTOR_SIZE)
            flash.program(entry.offset + start, after[sector].rstrip(b"\xff"))


def _order(selected: int, ota_slots: int) -> Iterator[int]:
    """The slots to try: from the selected one down to factory, then the later ones."""
    yield from range(selected, _FACTORY - 1, -1)
    yield from range(selected + 1, ota_slots)


def _describe(image: app_image.Image) -> str:
    description = app_image.describe(image)
    return f": {description.project} {description.version}" if description else ""
