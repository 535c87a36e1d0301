# SPDX-License-Identifier: MIT
"""The mark that has a device start at its prompt: where it is put, and where it is not."""

from __future__ import annotations

import re

from nor_chip import SECTOR, NorChip
from project import ROOT
from viper.flash import start_mark
from viper.image import partition_table
from viper.image.partition_table import PartitionTable

TABLE = partition_table.from_csv("nvs,data,nvs,,16K\nphy,data,phy,,4K\n", 1 << 20, "esp32s3")
PHY = TABLE["phy"].offset


def test_the_mark_is_what_the_device_looks_for() -> None:
    source = (ROOT / "firmware/python/start_mark.py").read_text(encoding="utf-8")
    (mark,) = re.findall(r"^MARK = (b\".*\")$", source, re.MULTILINE)
    assert mark == repr(start_mark.MARK).replace("'", '"')


def test_it_is_alone_in_its_sector_and_can_be_taken_back() -> None:
    chip = NorChip(32)
    assert start_mark.place(chip, TABLE)
    assert chip.flash[PHY : PHY + SECTOR].rstrip(b"\xff") == start_mark.MARK
    start_mark.remove(chip, TABLE)
    assert chip.flash == NorChip(32).flash


def test_what_is_there_already_stays() -> None:
    chip = NorChip(32)
    chip.flash[PHY + 100] = 0
    before = bytes(chip.flash)
    assert not start_mark.place(chip, TABLE)
    start_mark.remove(chip, TABLE)
    assert chip.flash == before


def test_a_table_without_a_place_for_it_has_none() -> None:
    chip = NorChip(32)
    assert not start_mark.place(chip, PartitionTable(()))
    start_mark.remove(chip, PartitionTable(()))
