# SPDX-License-Identifier: MIT
"""Which sectors a flash writes: exactly those that differ, found with few questions."""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nor_chip import SECTOR, NorChip
from viper.flash import sector_plan
from viper.flash.sector_plan import FAN_OUT, Region
from viper.image.sectors import Run, runs

# Sectors with little variety, so that erased ones and equal neighbours occur.
sector_contents = st.sampled_from([b"\xff", b"\x00", b"a", b"b", b"\xe9"])
flashes = st.lists(sector_contents, min_size=1, max_size=40)


def chip_with(contents: list[bytes]) -> NorChip:
    chip = NorChip(len(contents) + 2)
    chip.flash[SECTOR:-SECTOR] = b"".join(byte * SECTOR for byte in contents)
    return chip


def region_with(contents: list[bytes]) -> Region:
    return Region(SECTOR, b"".join(byte * SECTOR for byte in contents))


@given(st.data())
def test_the_sectors_that_differ_and_no_others_are_planned(data: st.DataObject) -> None:
    old = data.draw(flashes)
    new = data.draw(st.lists(sector_contents, min_size=len(old), max_size=len(old)))
    chip = chip_with(old)
    found = sector_plan.differing(chip.md5, region_with(new), None)
    assert found == [at for at in range(len(new)) if old[at] != new[at]]
    assert chip.queries <= 2 * len(new)


@given(st.data())
def test_what_a_true_claim_says_takes_one_question(data: st.DataObject) -> None:
    old = data.draw(flashes)
    new = data.draw(st.lists(sector_contents, min_size=len(old), max_size=len(old)))
    chip = chip_with(old)
    found = sector_plan.differing(chip.md5, region_with(new), region_with(old).claim())
    assert found == [at for at in range(len(new)) if old[at] != new[at]]
    assert chip.queries == 1


def test_a_claim_that_is_damaged_is_not_used() -> None:
    chip = chip_with([b"a", b"b"])
    damaged = replace(region_with([b"a", b"b"]).claim(), sectors=())
    assert sector_plan.differing(chip.md5, region_with([b"a", b"c"]), damaged) == [1]


@given(st.data())
def test_a_false_claim_changes_nothing(data: st.DataObject) -> None:
    old = data.draw(flashes)
    same_length = st.lists(sector_contents, min_size=len(old), max_size=len(old))
    claimed, new = data.draw(same_length), data.draw(same_length)
    chip = chip_with(old)
    found = sector_plan.differing(chip.md5, region_with(new), region_with(claimed).claim())
    assert found == [at for at in range(len(new)) if old[at] != new[at]]


def test_one_altered_sector_of_a_large_region_is_found_with_few_questions() -> None:
    content = random.Random(1).randbytes(768 * SECTOR)
    chip = NorChip(768)
    chip.flash[:] = content
    chip.flash[500 * SECTOR + 17] ^= 1
    region = Region(0, content)
    assert sector_plan.differing(chip.md5, region, None) == [500]
    assert chip.queries <= 1 + FAN_OUT * math.ceil(math.log(768, FAN_OUT))


def test_the_last_piece_is_not_asked_about_when_no_other_differs() -> None:
    content = random.Random(1).randbytes(16 * SECTOR)
    chip = NorChip(16)
    chip.flash[:] = content
    chip.flash[-1] ^= 1
    assert sector_plan.differing(chip.md5, Region(0, content), None) == [15]
    assert chip.queries == 1 + 3 + 3


def test_an_erased_chip_is_recognised_with_few_questions_and_blank_sectors_are_not_written() -> (
    None
):
    contents = [b"\xff"] * 200
    contents[3] = contents[4] = contents[150] = b"x"
    chip = chip_with([b"\xff"] * 200)
    assert sector_plan.differing(chip.md5, region_with(contents), None) == [3, 4, 150]
    assert chip.queries <= 1 + FAN_OUT


@given(st.sets(st.integers(0, 60)))
def test_neighbours_are_merged(sectors: set[int]) -> None:
    merged = runs(sorted(sectors))
    assert [sector for run in merged for sector in run.sectors] == sorted(sectors)
    assert all(b.first > a.first + a.count for a, b in itertools.pairwise(merged))


def test_a_region_is_filled_up_to_whole_sectors_with_erased_bytes() -> None:
    region = Region(SECTOR, b"abc")
    assert region.content == b"abc" + b"\xff" * (SECTOR - 3)
    with pytest.raises(ValueError, match="0x1001"):
        Region(SECTOR + 1, b"abc")


class TestFilesystem:
    """A partition that the device writes to as well."""

    new = (b"F", b"\xff", b"n", b"n", b"\xff", b"\xff")

    def plan(self, chip: NorChip, claim: sector_plan.Claim | None, same_table: bool = True):
        return sector_plan.differing_filesystem(
            chip.md5, region_with([*self.new]), claim, same_table
        )

    def test_it_is_written_when_blank(self) -> None:
        assert self.plan(chip_with([b"\xff"] * 6), None) == [0, 2, 3]

    def test_it_is_blank_when_micropython_would_format_it(self) -> None:
        assert self.plan(chip_with([b"\xff", b"u", b"n", b"u", b"\xff", b"\xff"]), None) == [
            0,
            1,
            3,
        ]

    def test_a_blank_first_block_says_nothing_under_another_partition_table(self) -> None:
        chip = chip_with([b"\xff", b"u", b"n", b"u", b"\xff", b"\xff"])
        assert self.plan(chip, None, same_table=False) is None
        assert self.plan(chip_with([b"\xff"] * 6), None, same_table=False) == [0, 2, 3]

    def test_it_is_left_alone_once_a_first_flash_is_complete(self) -> None:
        old = [b"F", b"o", b"\xff", b"n", b"\xff", b"\xff"]
        assert self.plan(chip_with(old), region_with(old).claim()) is None

    def test_it_is_left_alone_when_the_device_has_written_to_it(self) -> None:
        old = [b"F", b"o", b"\xff", b"n", b"\xff", b"\xff"]
        chip = chip_with(old)
        chip.flash[-SECTOR * 2] = 0
        assert self.plan(chip, region_with(old).claim()) is None
        assert self.plan(chip, None) is None

    def test_an_interrupted_write_is_finished(self) -> None:
        old = [b"F", b"o", b"o", b"n", b"\xff", b"\xff"]
        chip = chip_with(old)
        before = chip.md5(SECTOR, SECTOR)
        claim = region_with([*self.new]).claim_underway([1, 2], before)
        chip.flash[2 * SECTOR : 3 * SECTOR] = b"\xff" * SECTOR
        chip.flash[3 * SECTOR : 4 * SECTOR] = b"torn" * (SECTOR // 4)
        assert self.plan(chip, claim) == [2]

    def test_an_interrupted_write_to_which_the_device_has_added_is_left_alone(self) -> None:
        old = [b"F", b"o", b"o", b"n", b"\xff", b"\xff"]
        chip = chip_with(old)
        claim = region_with([*self.new]).claim_underway([1, 2], chip.md5(SECTOR, SECTOR))
        chip.flash[6 * SECTOR] = 0
        assert self.plan(chip, claim) is None

    def test_an_interrupted_write_of_a_smaller_partition_says_nothing_of_this_one(self) -> None:
        chip = chip_with([b"F", b"o", b"n", b"n", b"u", b"\xff"])
        smaller = region_with([b"F", b"n", b"n", b"n"])
        claim = smaller.claim_underway([1], chip.md5(SECTOR, SECTOR))
        assert self.plan(chip, claim) is None

    def test_an_interruption_within_the_first_sector_is_told_from_a_format_by_the_device(
        self,
    ) -> None:
        chip = chip_with([b"\xff"] * 6)
        claim = region_with([*self.new]).claim_underway([0, 2, 3], chip.md5(SECTOR, SECTOR))
        chip.flash[SECTOR : SECTOR + 700] = b"F" * 700
        assert self.plan(chip, claim) == [0, 2, 3]
        chip.flash[SECTOR : 2 * SECTOR] = b"littlefs" * (SECTOR // 8)
        assert self.plan(chip, claim) is None


def test_a_run_knows_its_place() -> None:
    assert (Run(3, 2).offset, Run(3, 2).size, list(Run(3, 2).sectors)) == (12288, 8192, [3, 4])
