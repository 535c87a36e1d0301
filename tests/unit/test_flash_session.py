# SPDX-License-Identifier: MIT
"""A flash image brought onto a chip, whatever was there and wherever it is interrupted."""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path

import pytest
from nor_chip import SECTOR, NorChip, PowerLost
from viper.base.errors import UserError
from viper.flash import device_stamp, writing
from viper.flash.writing import Image, PartPlan, Session

FLASH = 96  # sectors
VFS = 64  # its first sector; it runs to the end


class Build:
    """A build folder with a small flash image that can be edited."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stamps = folder / "devices"
        random_bytes = random.Random(7).randbytes
        self.contents = {
            "bootloader": random_bytes(5000),
            "partition-table": random_bytes(3072),
            "otadata": b"\xff" * 2 * SECTOR,
            "factory": random_bytes(20 * SECTOR + 5),
            "vfs": random_bytes(9 * SECTOR) + b"\xff" * (FLASH - VFS - 9) * SECTOR,
        }
        self.file = folder / "index.html"
        self.file.write_text("hello")

    def image(self) -> Image:
        offsets = {"bootloader": 0, "partition-table": 2, "otadata": 3, "factory": 8, "vfs": VFS}
        parts = []
        for name, sector in offsets.items():
            (self.folder / f"{name}.bin").write_bytes(self.contents[name])
            kind = "filesystem" if name == "vfs" else "firmware"
            part = {"name": name, "offset": sector * SECTOR, "file": f"{name}.bin", "kind": kind}
            parts.append(part | {"size": len(self.contents[name])})
        parts[-1]["used"] = [[0, 10]]
        digest = hashlib.sha256(self.file.read_bytes()).hexdigest()
        record = {
            "format": 1,
            "board": "TEST",
            "chip": "esp32s3",
            "flash_size": FLASH * SECTOR,
            "psram_size": 0,
            "parts": parts,
            "files": {"/www/index.html": {"size": 5, "sha256": digest, "source": "index.html"}},
        }
        (self.folder / "flash.json").write_text(json.dumps(record))
        return writing.load(self.folder / "flash.json", self.folder)

    def flash(self, chip: NorChip) -> list[PartPlan]:
        session = Session(self.image(), chip, self.stamps)
        plans = session.plan()
        session.write(plans, lambda done: None)
        return plans

    def edit(self, name: str, at: int, data: bytes) -> None:
        content = bytearray(self.contents[name])
        content[at : at + len(data)] = data
        self.contents[name] = bytes(content)

    def assert_holds(self, chip: NorChip) -> None:
        for part in self.image().parts:
            end = part.region.offset + len(part.region.content)
            assert chip.flash[part.region.offset : end] == part.region.content, part.name


@pytest.fixture
def build(tmp_path: Path) -> Build:
    return Build(tmp_path)


def sectors(plans: list[PartPlan]) -> dict[str, list[int] | None]:
    return {plan.part.name: plan.sectors for plan in plans if plan.sectors != []}


def test_a_blank_chip_gets_all_and_a_second_flash_writes_nothing(build: Build) -> None:
    chip = NorChip(FLASH)
    build.flash(chip)
    build.assert_holds(chip)
    chip.erased.clear()
    chip.queries = 0
    assert sectors(build.flash(chip)) == {}
    assert chip.erased == []
    assert chip.queries == 5  # one for each part


def test_sectors_that_no_part_covers_are_never_touched(build: Build) -> None:
    chip = NorChip(FLASH)
    chip.flash[5 * SECTOR : 8 * SECTOR] = b"nvs!" * (3 * SECTOR // 4)
    build.flash(chip)
    assert chip.flash[5 * SECTOR : 8 * SECTOR] == b"nvs!" * (3 * SECTOR // 4)
    assert not {5, 6, 7} & set(chip.erased)


def test_an_edit_erases_the_sectors_that_it_is_in(build: Build) -> None:
    chip = NorChip(FLASH)
    build.flash(chip)
    chip.erased.clear()
    build.edit("factory", 3 * SECTOR + 1, b"edited")
    build.edit("bootloader", SECTOR, b"edited")
    build.flash(chip)
    build.assert_holds(chip)
    assert sorted(chip.erased) == [1, 8 + 3]


def test_a_file_system_that_is_there_is_never_written_by_sectors(build: Build) -> None:
    chip = NorChip(FLASH)
    build.flash(chip)
    before = bytes(chip.flash)
    build.edit("vfs", 2 * SECTOR, b"edited")
    assert sectors(build.flash(chip)) == {"vfs": None}
    assert chip.flash == before


def test_a_sector_altered_behind_the_stamp_is_found_and_written_alone(build: Build) -> None:
    chip = NorChip(FLASH)
    build.flash(chip)
    chip.flash[(8 + 11) * SECTOR + 99] ^= 0x40
    chip.erased.clear()
    assert sectors(build.flash(chip)) == {"factory": [11]}
    assert chip.erased == [8 + 11]
    build.assert_holds(chip)


def test_another_board_is_not_taken_for_the_one_that_was_there(build: Build) -> None:
    build.flash(NorChip(FLASH))
    other = NorChip(FLASH, mac="7c2c67000002")
    build.flash(other)
    build.assert_holds(other)


def test_what_the_image_does_not_use_of_a_file_system_is_left_erased(build: Build) -> None:
    build.contents["vfs"] = build.contents["vfs"].replace(b"\xff" * SECTOR, b"\0" * SECTOR)
    chip = NorChip(FLASH)
    build.flash(chip)
    assert chip.flash[(VFS + 10) * SECTOR :] == b"\xff" * (FLASH - VFS - 10) * SECTOR


def test_otadata_is_erased_so_that_what_was_flashed_boots(build: Build) -> None:
    chip = NorChip(FLASH)
    build.flash(chip)
    chip.flash[3 * SECTOR : 3 * SECTOR + 4] = b"\x01\0\0\0"
    assert sectors(build.flash(chip)) == {"otadata": [0]}
    assert chip.flash[3 * SECTOR : 5 * SECTOR] == b"\xff" * 2 * SECTOR


def test_a_file_system_that_the_device_has_written_to_is_left_alone(build: Build) -> None:
    chip = NorChip(FLASH)
    build.flash(chip)
    chip.flash[-5] = 0x55  # in what the image does not use
    before = bytes(chip.flash[VFS * SECTOR :])
    build.edit("vfs", 0, b"edited")
    build.edit("factory", 0, b"edited")
    assert sectors(build.flash(chip)) == {"vfs": None, "factory": [0]}
    assert chip.flash[VFS * SECTOR :] == before


def test_data_under_another_partition_table_stops_the_flash_before_its_first_write(
    build: Build,
) -> None:
    chip = NorChip(FLASH)
    chip.flash[2 * SECTOR : 3 * SECTOR] = b"T" * SECTOR
    chip.flash[(VFS + 3) * SECTOR] = 0
    with pytest.raises(UserError, match="erase-region 0x40000 0x20000"):
        build.flash(chip)
    assert chip.erased == []


@pytest.mark.parametrize("seed", range(12))
def test_a_flash_that_loses_power_anywhere_is_finished_by_the_next(build: Build, seed: int) -> None:
    chance = random.Random(seed)
    chip = NorChip(FLASH)
    chip.power = chance.randrange(35 * SECTOR)
    with pytest.raises(PowerLost):
        build.flash(chip)
    chip.power = None
    build.flash(chip)
    build.assert_holds(chip)


@pytest.mark.parametrize("seed", range(12))
def test_a_first_flash_that_loses_power_anywhere_is_finished_with_a_newer_image(
    build: Build, seed: int
) -> None:
    chip = NorChip(FLASH)
    chip.power = random.Random(seed).randrange(35 * SECTOR)
    with pytest.raises(PowerLost):
        build.flash(chip)
    in_hand = len(chip.erased) <= 9  # the file system, which comes first, is not complete
    chip.power = None
    build.edit("factory", 6 * SECTOR, b"edited meanwhile")
    if in_hand:
        build.edit("vfs", 6 * SECTOR, b"edited meanwhile")
    build.flash(chip)
    build.assert_holds(chip)


@pytest.mark.parametrize("power", range(0, 35 * SECTOR, 7 * SECTOR))
def test_a_new_chip_that_loses_power_does_not_boot(build: Build, power: int) -> None:
    chip = NorChip(FLASH)
    chip.power = power
    with pytest.raises(PowerLost):
        build.flash(chip)
    whole = build.image().parts[0].region.content
    assert chip.flash[: len(whole)] != whole


def test_a_lost_stamp_costs_questions_only(build: Build) -> None:
    chip = NorChip(FLASH)
    build.flash(chip)
    for stamp in build.stamps.iterdir():
        stamp.write_text("{ damaged")
    build.edit("factory", 0, b"edited")
    assert sectors(build.flash(chip)) == {"factory": [0]}
    assert device_stamp.load(build.stamps, chip.mac).parts.keys() == build.contents.keys()


def test_a_worn_out_sector_is_named(build: Build) -> None:
    chip = NorChip(FLASH)
    chip.worn_out = 8 + 4
    with pytest.raises(UserError, match=r"0xc000 \(factory\)"):
        build.flash(chip)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda record: record.pop("parts"), "not a flash image"),
        (lambda record: record["parts"][1].update(offset=0), "overlaps"),
        (lambda record: record.update(flash_size=SECTOR), "ends after the flash does"),
        (lambda record: record["parts"][0].update(offset=3), "start of a sector"),
        (lambda record: record["parts"][0].update(file="gone.bin"), "gone.bin"),
        (lambda record: record["parts"][0].update(used=3), "'used' is 3, no list"),
        (lambda record: record["parts"][0].update(used=[3]), "not a flash image"),
        (lambda record: record.update(files=[]), "not a flash image"),
        (lambda record: record.update(format=2), "its format is 2, and this version reads 1"),
        (lambda record: record.update(flash_size="x"), "'flash_size' is 'x', no integer"),
        (lambda record: record["parts"][0].update(offset=None), "'offset' is None, no integer"),
    ],
)
def test_an_image_that_does_not_hold_together_is_refused(build: Build, damage, message) -> None:
    build.image()
    path = build.folder / "flash.json"
    record = json.loads(path.read_text())
    damage(record)
    path.write_text(json.dumps(record))
    with pytest.raises(UserError, match=message) as caught:
        writing.load(path, build.folder)
    assert "./scons image" in caught.value.next_step
