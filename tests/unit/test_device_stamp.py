# SPDX-License-Identifier: MIT
"""Stamps: what comes back, and what is not believed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from viper.flash import device_stamp
from viper.flash.device_stamp import Stamp
from viper.flash.sector_plan import Region
from viper.image.ownership import Ownership

MAC = "7c2c67000001"


@pytest.fixture
def stamp(tmp_path: Path) -> Stamp:
    """A stamp that has been saved."""
    region = Region(0x1000, b"abc" * 5000)
    stamp = Stamp(
        MAC,
        parts={"factory": region.claim(), "vfs": region.claim_underway([1], b"0123456789abcdef")},
        ownership=Ownership(
            {'/www/it\'s "ünï".html': "ab" * 32},
            {"/www/old.html": "cd" * 32},
            {"/main.py": ("ef" * 32, "01" * 32)},
            "23" * 32,
        ),
        files_md5=b"fedcba9876543210",
    )
    device_stamp.save(tmp_path, stamp)
    return stamp


def test_a_stamp_comes_back_as_it_was(tmp_path: Path, stamp: Stamp) -> None:
    assert device_stamp.load(tmp_path, MAC) == stamp
    assert [file.name for file in tmp_path.iterdir()] == [f"{MAC}.json"]


def test_a_device_without_a_stamp_has_a_blank_one(tmp_path: Path) -> None:
    assert device_stamp.load(tmp_path / "nowhere", MAC) == Stamp(MAC)


def test_a_stamp_under_another_devices_name_is_none(tmp_path: Path, stamp: Stamp) -> None:
    (tmp_path / f"{MAC}.json").rename(tmp_path / "7c2c67000002.json")
    assert device_stamp.load(tmp_path, "7c2c67000002") == Stamp("7c2c67000002")


@pytest.mark.parametrize(
    "damage",
    [
        lambda record: record.update(format=0),
        lambda record: record.pop("files"),
        lambda record: record.update(parts=[1, 2]),
        lambda record: record["parts"]["vfs"].update(md5="no hex"),
        lambda record: record["parts"]["vfs"].update(sectors="no base64!"),
        lambda record: record["parts"]["vfs"].update(settled=[[0]]),
    ],
)
def test_a_damaged_stamp_is_none(
    tmp_path: Path, stamp: Stamp, damage: Callable[[Any], None]
) -> None:
    path = tmp_path / f"{MAC}.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    damage(record)
    path.write_text(json.dumps(record), encoding="utf-8")
    assert device_stamp.load(tmp_path, MAC) == Stamp(MAC)


def test_half_a_stamp_is_none(tmp_path: Path, stamp: Stamp) -> None:
    path = tmp_path / f"{MAC}.json"
    path.write_bytes(path.read_bytes()[:-100])
    assert device_stamp.load(tmp_path, MAC) == Stamp(MAC)
