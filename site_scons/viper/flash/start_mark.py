# SPDX-License-Identifier: MIT
"""The mark by which a device starts at its prompt, once, before anything of the user's runs.

Its form and its place are those of firmware/python/start_mark.py, which obeys it.
"""

from __future__ import annotations

from viper.flash.sector_plan import ERASED, erased_digest
from viper.flash.writing import Chip
from viper.image.partition_table import DATA, PHY, PartitionTable
from viper.image.sectors import SECTOR_SIZE

MARK = b"viperhttp: start at the prompt\n"


def place(chip: Chip, table: PartitionTable) -> bool:
    """Write the mark.

    Args:
        table: the one that the chip boots by.

    Returns:
        Whether there is a place for it, which holds nothing else.
    """
    entry = table.find(DATA, PHY)
    if entry is None or chip.md5(entry.offset, SECTOR_SIZE) != erased_digest(SECTOR_SIZE):
        return False
    chip.write(entry.offset, MARK.ljust(SECTOR_SIZE, ERASED), lambda _: None)
    return True


def remove(chip: Chip, table: PartitionTable) -> None:
    """Take the mark back, of a device whose firmware does not know it."""
    entry = table.find(DATA, PHY)
    if entry is not None and chip.read(entry.offset, len(MARK)) == MARK:
        chip.erase(entry.offset, SECTOR_SIZE)
