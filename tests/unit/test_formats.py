# SPDX-License-Identifier: MIT
"""Files of another format than the one that is known here are named, and never guessed at."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_fat_volume import reader
from viper.base.errors import UserError
from viper.base.mac import Mac
from viper.flash import device_stamp, writing
from viper.flash.device_stamp import Stamp
from viper.flash.sector_plan import Claim
from viper.graph import history
from viper.image import device_files, fat_image
from viper.image.fat_volume import FatVolume
from viper.image.sectors import SECTOR_SIZE
from viper.source import board
from viper.sync import fat_journal
from viper.update import backup

MAC = Mac("7c2c67000001")
BOARD = board.load(Path("boards"), "VIRTUAL_N16R8")
OTHERS: list[Callable[[dict[str, Any]], object]] = [
    lambda record: record.update(format=2),
    lambda record: record.update(format="1"),
    lambda record: record.pop("format"),
]


def files_json(folder: Path) -> Path:
    device_files.write(folder / "files.json", {}, BOARD.hardware)
    return folder / "files.json"


def build_json(folder: Path) -> Path:
    build = {"format": history.FORMAT, "board": BOARD.name, "build": "0" * 16, "id": "0" * 16}
    (folder / "build.json").write_text(json.dumps(build))
    return folder / "build.json"


def manifest(folder: Path) -> Path:
    (folder / "manifest.json").write_text(json.dumps({"format": 1, "mac": MAC, "partitions": []}))
    return folder / "manifest.json"


def journal(folder: Path) -> Path:
    image = bytearray(fat_image.build({"/mine": b"mine"}, 64 * SECTOR_SIZE).data)
    fat_journal.save(folder, MAC, FatVolume(reader(image)), [])
    return folder / f"{MAC}.fat-journal"


@pytest.mark.parametrize(
    ("write", "read", "next_step"),
    [
        (files_json, device_files.read, "./scons image"),
        (files_json, device_files.seeds, "./scons image"),
        (files_json, lambda file: writing.load(file, file.parent), "./scons image"),
        (build_json, history.read, "./scons"),
        (manifest, lambda file: backup.load(file.parent), "ls "),
        (journal, lambda file: fat_journal.load(file.parent, MAC), "rm "),
    ],
)
def test_a_file_of_another_format_is_refused_by_name(
    tmp_path: Path,
    write: Callable[[Path], Path],
    read: Callable[[Path], object],
    next_step: str,
) -> None:
    file = write(tmp_path)
    read(file)
    for change, told in zip(OTHERS, ["2", "none", "none"], strict=True):
        record = json.loads(write(tmp_path).read_text())
        change(record)
        file.write_text(json.dumps(record))
        said = re.escape(f"{file}: its format is {told}, and this version reads 1")
        with pytest.raises(UserError, match=said) as caught:
            read(file)
        assert next_step in caught.value.next_step


@pytest.mark.parametrize("change", OTHERS)
def test_a_stamp_of_another_format_is_none(
    tmp_path: Path, change: Callable[[dict[str, Any]], object]
) -> None:
    """What it says is a hint: the chip is asked instead."""
    device_stamp.save(tmp_path, Stamp(MAC, parts={"factory": Claim(b"", ())}))
    (file,) = tmp_path.iterdir()
    assert device_stamp.load(tmp_path, MAC).parts
    record = json.loads(file.read_text())
    change(record)
    file.write_text(json.dumps(record))
    assert device_stamp.load(tmp_path, MAC) == Stamp(MAC)


@pytest.mark.parametrize("change", OTHERS)
def test_a_kept_build_of_another_format_is_passed_over(
    tmp_path: Path, change: Callable[[dict[str, Any]], object]
) -> None:
    for digit in "ab":
        record = {"format": history.FORMAT, "build": "0" * 16, "id": digit * 16}
        history.keep(tmp_path, record, {})
    assert history.load(tmp_path, "aaaa")["id"] == "a" * 16
    file = tmp_path / ("a" * 16 + ".json")
    record = json.loads(file.read_text())
    change(record)
    file.write_text(json.dumps(record))
    assert [build["id"] for build in history.all_builds(tmp_path)] == ["b" * 16]
    with pytest.raises(UserError, match="no build 'aaaa' is kept") as caught:
        history.load(tmp_path, "aaaa")
    assert caught.value.next_step == "the newest: bbbbbbbb"
