# SPDX-License-Identifier: MIT
"""A FAT put back to where it was before a sync, or left where the device has taken it."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_fat_volume import reader
from viper.image import fat_image
from viper.image.fat_volume import FatVolume
from viper.image.sectors import SECTOR_SIZE
from viper.sync import fat_journal

MAC = "7c2c67000001"
SIZE = 64 * SECTOR_SIZE
OWN = {"/mine": b"mine" * 3000, "/data/log": b"log"}
BEFORE = {**OWN, "/www/index.html": b"old"}
TOUCHED = ["/www/index.html"]


def build(files: dict[str, bytes]) -> bytearray:
    return bytearray(fat_image.build(files, SIZE).data)


class Device:
    """The volume of a device, and the journal of a sync that begins now."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.image = build(BEFORE)
        fat_journal.save(folder, MAC, FatVolume(reader(self.image)), TOUCHED)

    def put_back(self) -> bool:
        journal = fat_journal.load(self.folder, MAC)
        assert journal is not None
        return fat_journal.put_back(journal, reader(self.image), self.write)

    def write(self, first: int, content: bytes) -> None:
        self.image[first * SECTOR_SIZE : first * SECTOR_SIZE + len(content)] = content

    def entries(self) -> set[str]:
        return set(FatVolume(reader(self.image)).entries)


@pytest.fixture
def device(tmp_path: Path) -> Device:
    return Device(tmp_path)


def test_a_torn_table_is_put_back(device: Device) -> None:
    before = bytes(device.image)
    device.image[SECTOR_SIZE + 20 : 2 * SECTOR_SIZE] = b"\xff" * (SECTOR_SIZE - 20)
    assert device.put_back()
    assert device.image == before


def test_a_sync_that_was_half_done_is_taken_back(device: Device) -> None:
    device.image = build({**BEFORE, "/.sync/0123": b"waiting", "/.sync/4567~": b""})
    # What a sync adds does not move what is there, so the tables tell the same of the rest.
    assert device.put_back()
    assert device.entries() == {"/mine", "/data", "/data/log", "/www", "/www/index.html"}


def test_a_device_that_has_gone_on_by_itself_keeps_what_it_did(device: Device) -> None:
    device.image = build({**BEFORE, "/data/new": b"written after the cut", "/.sync/0123": b"x"})
    gone_on = bytes(device.image)
    assert not device.put_back()
    assert device.image == gone_on


def test_another_volume_is_left_alone(device: Device) -> None:
    device.image = bytearray(fat_image.build(OWN, 2 * SIZE).data)
    other = bytes(device.image)
    assert not device.put_back()
    assert device.image == other


def test_a_journal_is_there_until_it_is_cleared(device: Device) -> None:
    assert fat_journal.any_pending(device.folder)
    fat_journal.clear(device.folder, MAC)
    assert not fat_journal.any_pending(device.folder)
    assert fat_journal.load(device.folder, MAC) is None
