# SPDX-License-Identifier: MIT
"""Which applications a chip tries to boot, and in which order: the first that is whole runs.

The rules are those of ESP-IDF's second-stage bootloader (v5.5.1, bootloader_support/src/
bootloader_utility.c, with rollback as MicroPython builds it), odd tables included: of two
partitions of one kind the later counts; slots are those below the number of slots, so one behind a
gap never boots; `test` is the last resort.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from viper.image import otadata
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
