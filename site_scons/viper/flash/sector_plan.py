# SPDX-License-Identifier: MIT
"""Which sectors of a chip have to be written, asked of the chip itself by MD5.

Pure: the chip is a function that answers with the MD5 of any range of its flash. What a stamp
claims of the chip only says where to look; it counts for nothing unless the chip's own MD5 of the
whole region bears it out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from viper.image.sectors import SECTOR_SIZE, Run, runs

FAN_OUT = 4  # a range that differs is cut in so many: 4/3 queries per sector if all differ, not 2
ERASED = b"\xff"
_PAGE = 256  # bytes; what the flash programs at a time

Md5 = Callable[[int, int], bytes]
"""The chip: the MD5 digest (16 bytes) of `size` bytes of its flash from `offset` on."""


@dataclass(frozen=True)
class Claim:
    """What was last written to a region, as far as is known.

    An interrupted write is known again by what it left as it was, whatever is in the sectors that
    it had in hand: `settled`, and `before`.
    """

    md5: bytes  # of the whole region, once the write is complete
    sectors: tuple[bytes, ...]  # the MD5 of each sector, once the write is complete
    settled: tuple[tuple[Run, bytes], ...] = ()  # runs not written, with their MD5; () when done
    before: bytes = b""  # the MD5 of the first sector before the write; empty when done


class Region:
    """A region of the flash and what it is to hold.

    Attributes:
        offset: bytes from the start of the flash, a multiple of SECTOR_SIZE.
        content: filled up with FF, the state of erased flash, to whole sectors.
        count: its number of sectors.
    """

    def __init__(self, offset: int, content: bytes) -> None:
        if offset % SECTOR_SIZE:
            raise ValueError(f"offset {offset:#x} is not at the start of a sector")
        self.offset = offset
        self.content = content + ERASED * (-len(content) % SECTOR_SIZE)
        self.count = len(self.content) // SECTOR_SIZE

    def run(self, run: Run) -> bytes:
        """The content of some sectors."""
        return self.content[run.offset : run.offset + run.size]

    def digest(self, run: Run) -> bytes:
        """The MD5 of the content of some sectors."""
        return self._digest if run == self.whole else self._digest_of(run)

    @cached_property
    def _digest(self) -> bytes:
        return self._digest_of(self.whole)

    def _digest_of(self, run: Run) -> bytes:
        return hashlib.md5(memoryview(self.content)[run.offset : run.offset + run.size]).digest()

    @property
    def whole(self) -> Run:
        """All sectors of the region."""
        return Run(0, self.count)

    def claim(self) -> Claim:
        """The claim that this region has been written."""
        sectors = tuple(self.digest(Run(sector, 1)) for sector in range(self.count))
        return Claim(self.digest(self.whole), sectors)

    def claim_underway(self, writing: Sequence[int], before: bytes) -> Claim:
        """The claim that these sectors are about to be written.

        Args:
            before: the MD5 of the region's first sector as the chip has it now.
        """
        rest = sorted(set(range(self.count)) - set(writing))
        settled = tuple((run, self.digest(run)) for run in runs(rest))
        return replace(self.claim(), settled=settled, before=before)

    def not_erased(self, run: Run) -> list[int]:
        """The sectors of a run whose content is more than FF."""
        blank = ERASED * SECTOR_SIZE
        return [
            sector
            for sector in run.sectors
            if self.content[sector * SECTOR_SIZE : (sector + 1) * SECTOR_SIZE] != blank
        ]


def differing(md5: Md5, region: Region, claim: Claim | None) -> list[int]:
    """The sectors of a region that the chip holds otherwise, ascending.

    One query if nothing differs, or if the claim is true of the chip; else `search`.
    """
    actual = md5(region.offset, len(region.content))
    if actual == region.digest(region.whole):
        return []
    if claim is not None and len(claim.sectors) == region.count and claim.md5 == actual:
        return _against_claim(region, claim)
    return search(md5, region, region.whole)


def differing_filesystem(
    md5: Md5, region: Region, claim: Claim | None, same_table: bool
) -> list[int] | None:
    """The sectors to write of a partition that the device writes to as well.

    It is written by sectors only while nothing of the user's can be in it: it is blank, or it holds
    what an interrupted first write has left, as the claim knows it.

    Blank means what it means to MicroPython, which formats a partition whose first block (4096
    bytes) is all FF; but where the device has another partition table (`same_table` is false) the
    block may be a hole in someone's data, and then the whole partition has to be FF.

    Returns:
        Sectors, ascending; or None: it holds something else, and its files have to be told apart.
    """
    actual = md5(region.offset, len(region.content))
    if actual == region.digest(region.whole):
        return []
    if (
        claim is not None
        and len(claim.sectors) == region.count
        and _is_interrupted(md5, region, claim)
    ):
        return _after_interruption(md5, region, claim)
    if actual == erased_digest(len(region.content)):
        return region.not_erased(region.whole)
    if same_table and md5(region.offset, SECTOR_SIZE) == erased_digest(SECTOR_SIZE):
        return search(md5, region, region.whole)
    return None


def search(md5: Md5, region: Region, run: Run) -> list[int]:
    """The differing sectors of a run that is known to differ, found by cutting it up.

    One differing sector out of `n` takes about FAN_OUT * log(n, FAN_OUT) queries, and all `n` of
    them fewer than 2 * n. A range that is erased on the chip takes one.
    """
    if run.count == 1:
        return [run.first]
    found: list[int] = []
    for piece, is_last in _pieces(run):
        if not (is_last and not found):  # if no other piece differs, the last one does
            actual = md5(region.offset + piece.offset, piece.size)
            if actual == region.digest(piece):
                continue
            if actual == erased_digest(piece.size):
                found += region.not_erased(piece)
                continue
        found += search(md5, region, piece)
    return found


def _pieces(run: Run) -> Iterator[tuple[Run, bool]]:
    """A run cut in at most FAN_OUT pieces, and whether each is the last."""
    end = run.first + run.count
    step = -(-run.count // FAN_OUT)
    for first in range(run.first, end, step):
        yield Run(first, min(step, end - first)), first + step >= end


def _against_claim(region: Region, claim: Claim) -> list[int]:
    fresh = region.claim().sectors
    return [sector for sector in range(region.count) if claim.sectors[sector] != fresh[sector]]


def _is_interrupted(md5: Md5, region: Region, claim: Claim) -> bool:
    """Whether the chip holds what a broken-off write of the claim has left, and nothing since.

    All that it did not have in hand is as it was; and so is the first sector, or it has been
    written, wholly or up to a page: a device that has formatted the partition itself has another.
    """
    if not claim.settled or any(
        md5(region.offset + run.offset, run.size) != digest for run, digest in claim.settled
    ):
        return False
    first = md5(region.offset, SECTOR_SIZE)
    return first in (claim.before, claim.sectors[0]) or _is_torn(md5, region)


def _is_torn(md5: Md5, region: Region) -> bool:
    """Whether the first sector holds its content up to some page, and FF after the next one."""
    pages = range(0, SECTOR_SIZE, _PAGE)
    for page in pages:
        content = region.content[page : page + _PAGE]
        if md5(region.offset + page, _PAGE) != hashlib.md5(content).digest():
            rest = SECTOR_SIZE - page - _PAGE
            return not rest or md5(region.offset + page + _PAGE, rest) == erased_digest(rest)
    return True


def _after_interruption(md5: Md5, region: Region, claim: Claim) -> list[int]:
    known = {sector for run, _ in claim.settled for sector in run.sectors}
    found = [sector for sector in _against_claim(region, claim) if sector in known]
    for run in runs(sorted(set(range(region.count)) - known)):
        if md5(region.offset + run.offset, run.size) != region.digest(run):
            found += search(md5, region, run)
    return sorted(found)


@lru_cache(maxsize=64)
def erased_digest(size: int) -> bytes:
    """The MD5 of so many bytes of erased flash."""
    return hashlib.md5(ERASED * size).digest()
