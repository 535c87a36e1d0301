# SPDX-License-Identifier: MIT
"""The sectors of a flash chip, and runs of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

SECTOR_SIZE = 4096  # bytes; what the flash erases at the least


@dataclass(frozen=True)
class Run:
    """Sectors in a row, counted from the start of their region."""

    first: int
    count: int

    @property
    def offset(self) -> int:
        """Bytes from the start of the region."""
        return self.first * SECTOR_SIZE

    @property
    def size(self) -> int:
        """Bytes."""
        return self.count * SECTOR_SIZE

    @property
    def sectors(self) -> range:
        """Their numbers."""
        return range(self.first, self.first + self.count)


def runs(sectors: Iterable[int]) -> list[Run]:
    """Ascending sectors with neighbours merged."""
    merged: list[Run] = []
    for sector in sectors:
        if merged and merged[-1].first + merged[-1].count == sector:
            merged[-1] = Run(merged[-1].first, merged[-1].count + 1)
        else:
            merged.append(Run(sector, 1))
    return merged
