# SPDX-License-Identifier: MIT
"""Which applications a chip tries to boot, and in which order: the first that is whole runs.

The rules are those of ESP-IDF's second-stage bootloader (v5.5.1, bootloader_support/src/
bootloader_utility.c, with rollback as MicroPython builds it), odd tables included: of two
partitions of one kind the later counts; slots are those below the number of slots, so one behind a
gap never boots; `test` is the last resort.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from viper.image import app_image, otadata, partition_table
from viper.image.app_image import AppDescription
from viper.image.partition_table import APP, DATA, FACTORY, OTA_0, OTADATA, SUBTYPES, Entry

TEST = -2  # its place in the order; factory's is otadata.FACTORY

_TEST_SUBTYPE = SUBTYPES[APP]["test"]
_OTA_SLOTS = 16


class BootOrder:
    """What a partition table has to boot.

    Attributes:
        otadata: the partition that says what boots, or None.
        slots: how many OTA slots the bootloader counts.
    """

    def __init__(self, table: Iterable[Entry]) -> None:
        self.otadata: Entry | None = None
        self.slots = 0
        self._places: dict[int, Entry] = {}
        for entry in table:
            kind = (entry.type, entry.subtype)
            if kind == (DATA, OTADATA):
                self.otadata = entry
            elif kind == (APP, FACTORY):
                self._places[otadata.FACTORY] = entry
            elif kind == (APP, _TEST_SUBTYPE):
                self._places[TEST] = entry
            elif entry.type == APP and OTA_0 <= entry.subtype < OTA_0 + _OTA_SLOTS:
                self._places[entry.subtype - OTA_0] = entry
                self.slots += 1

    @property
    def has_factory(self) -> bool:
        """Whether there is a factory application."""
        factory = self._places.get(otadata.FACTORY)
        return factory is not None and factory.offset != 0

    def tried(self, written: bytes | None) -> Iterator[tuple[int, Entry]]:
        """Each partition in the order of trying, with its place: n of ota_n, FACTORY or TEST.

        Args:
            written: what `otadata` holds when the bootloader has begun (otadata.after_boot); None
                without that partition.
        """
        start = otadata.FACTORY
        if written is not None:
            start = otadata.first_tried(written, self.slots, has_factory=self.has_factory)
        for place in (*range(start, otadata.FACTORY - 1, -1), *range(start + 1, self.slots), TEST):
            entry = self._places.get(place)
            if entry is not None and entry.size and place < self.slots:
                yield place, entry


def installed(read: Callable[[int, int], bytes], flash_size: int) -> AppDescription | None:
    """What the application that a chip boots next says of itself; None if there is none.

    Nothing is verified but that an image begins there.

    Args:
        read: gives so many bytes of the flash from an offset on.
        flash_size: bytes of flash that the chip has.
    """
    order = BootOrder(partition_table.booted_by(read, flash_size))
    written = None
    if order.otadata is not None:
        if order.otadata.size < otadata.SIZE:
            return None
        written = otadata.after_boot(read(order.otadata.offset, otadata.SIZE), order.slots)
    for _place, entry in order.tried(written):
        start = read(entry.offset, app_image.START_SIZE)
        if start[0] == app_image.IMAGE_MAGIC:
            return app_image.describe_start(start)
    return None
