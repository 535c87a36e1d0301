# SPDX-License-Identifier: MIT
"""The flash image has every part at its place, and flash.json says which."""

from __future__ import annotations

import hashlib
import json
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from viper.base.errors import UserError
from viper.image import app_image, device_files, flash_image, otadata, partition_table, vfs_image
from viper.image.asset_manifest import File
from viper.image.esptool_command import esptool_command
from viper.image.partition_table import PartitionTable
from viper.source import board

BOARDS = Path(__file__).parents[2] / "boards"
BOARD = board.load(BOARDS, "VIRTUAL_N16R8")
ELF = b"\x7fELF" * 1000


@pytest.fixture
def table() -> PartitionTable:
    return partition_table.load(BOARD.partitions, BOARD.flash_size, BOARD.chip)


@pytest.fixture
def inputs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: PartitionTable
) -> flash_image.Inputs:
    """All parts as a build leaves them, in build/B."""
    monkeypatch.chdir(tmp_path)
    folder = Path("build/B")
    folder.mkdir(parents=True)
    app = app_image.build_app(ELF, project="p", version="1", flash_size=BOARD.flash_size)
    bootloader = app_image.build_bootloader(flash_size=BOARD.flash_size)
    (folder / "app.bin").write_bytes(app)
    (folder / "bootloader.bin").write_bytes(bootloader)
    (folder / "partition-table.bin").write_bytes(table.to_binary())
    (folder / "otadata.bin").write_bytes(otadata.blank())
    Path("main.py").write_bytes(b"pass")
    files = {"/main.py": File("main.py", 4, hashlib.sha256(b"pass").hexdigest())}
    device_files.write(folder / "files.json", files, BOARD.hardware)
    contents = device_files.read(folder / "files.json")
    vfs_image.write(
        folder / "vfs.img", folder / "vfs.json", contents, fs="fat", size=table["vfs"].size
    )
    return flash_image.Inputs(
        bootloader=folder / "bootloader.bin",
        partition_table=folder / "partition-table.bin",
        otadata=folder / "otadata.bin",
        app=folder / "app.bin",
        files=folder / "files.json",
        vfs=folder / "vfs.img",
        vfs_index=folder / "vfs.json",
    )


def write(inputs: flash_image.Inputs, table: PartitionTable) -> tuple[bytes, dict[str, object]]:
    image, index = Path("build/B/flash.bin"), Path("build/B/flash.json")
    flash_image.write(image, index, inputs, table, BOARD.hardware)
    return image.read_bytes(), json.loads(index.read_text())


def test_every_part_lies_at_its_place(inputs: flash_image.Inputs, table: PartitionTable) -> None:
    flash, _ = write(inputs, table)
    assert len(flash) == 16 << 20
    assert flash.startswith(inputs.bootloader.read_bytes())
    read = partition_table.from_binary(flash[0x8000:], BOARD.flash_size)
    assert [entry.name for entry in read] == [entry.name for entry in table]
    assert flash[0xD000:0xF000] == otadata.blank()
    assert app_image.payload(app_image.parse(flash[0x10000:0x310000])) == ELF
    assert flash[0x610000:] == inputs.vfs.read_bytes()


def test_what_is_no_part_is_erased(inputs: flash_image.Inputs, table: PartitionTable) -> None:
    flash, _ = write(inputs, table)
    for name in ("nvs", "phy_init", "ota_0"):
        assert set(flash[table[name].offset : table[name].end]) == {0xFF}
    assert set(flash[0x10000 + inputs.app.stat().st_size : 0x310000]) == {0xFF}


def test_flash_json_describes_it(inputs: flash_image.Inputs, table: PartitionTable) -> None:
    def digest(name: str) -> str:
        return hashlib.sha256(Path("build/B", name).read_bytes()).hexdigest()

    _, index = write(inputs, table)
    vfs = json.loads(inputs.vfs_index.read_text())
    firmware = {"kind": "firmware"}
    assert index == {
        "format": 1,
        "board": "VIRTUAL_N16R8",
        "chip": "esp32s3",
        "flash_size": 16777216,
        "psram_size": 8388608,
        "parts": [
            {
                **firmware,
                "name": "bootloader",
                "offset": 0,
                "size": inputs.bootloader.stat().st_size,
                "file": "bootloader.bin",
                "sha256": digest("bootloader.bin"),
            },
            {
                **firmware,
                "name": "partition-table",
                "offset": 0x8000,
                "size": 0xC00,
                "file": "partition-table.bin",
                "sha256": digest("partition-table.bin"),
            },
            {
                **firmware,
                "name": "otadata",
                "offset": 0xD000,
                "size": 8192,
                "file": "otadata.bin",
                "sha256": digest("otadata.bin"),
            },
            {
                **firmware,
                "name": "factory",
                "offset": 0x10000,
                "size": inputs.app.stat().st_size,
                "file": "app.bin",
                "sha256": digest("app.bin"),
                "slot_size": 3 << 20,
            },
            {
                "kind": "filesystem",
                "name": "vfs",
                "offset": 0x610000,
                "size": 10420224,
                "file": "vfs.img",
                "sha256": digest("vfs.img"),
                "used": vfs["used"],
            },
        ],
        "files": json.loads(inputs.files.read_text())["files"],
    }


def test_the_same_parts_give_the_same_bytes(
    inputs: flash_image.Inputs, table: PartitionTable
) -> None:
    write(inputs, table)
    first = [Path("build/B", name).read_bytes() for name in ("flash.bin", "flash.json")]
    write(inputs, table)
    assert [Path("build/B", name).read_bytes() for name in ("flash.bin", "flash.json")] == first


def test_a_part_of_another_build_folder_is_found_from_flash_json(
    inputs: flash_image.Inputs, table: PartitionTable
) -> None:
    elsewhere = Path("build/other/app.bin")
    elsewhere.parent.mkdir()
    inputs.app.rename(elsewhere)
    _, index = write(replace(inputs, app=elsewhere), table)
    parts = index["parts"]
    assert isinstance(parts, list)
    assert parts[3]["file"] == "../other/app.bin"


@pytest.mark.parametrize(
    ("field", "room", "name"),
    [("app", 3 << 20, "factory"), ("bootloader", 0x8000, "bootloader"), ("vfs", 0x9F0000, "vfs")],
)
def test_an_image_over_its_slot_fails_with_both_sizes(
    inputs: flash_image.Inputs, table: PartitionTable, field: str, room: int, name: str
) -> None:
    file: Path = getattr(inputs, field)
    file.write_bytes(bytes(room + 5))
    with pytest.raises(UserError) as caught:
        write(inputs, table)
    assert f"{file} is {room + 5} bytes, and '{name}'" in caught.value.what
    assert f"holds {room}: 5 too many" in caught.value.what
    assert not Path("build/B/flash.bin").exists()
    assert not Path("build/B/flash.json").exists()


def test_a_table_without_a_partition_that_is_needed(inputs: flash_image.Inputs) -> None:
    csv = "factory, app, factory,, 3M\notadata, data, ota,, 8K\n"
    with pytest.raises(UserError, match="no partition 'vfs'"):
        write(inputs, partition_table.from_csv(csv, BOARD.flash_size, BOARD.chip))


def test_the_printed_command_makes_the_same_flash(
    inputs: flash_image.Inputs, table: PartitionTable
) -> None:
    """The stock tool, given the same words, merges the parts to the same image."""
    flash, _ = write(inputs, table)
    command = esptool_command(Path("build/B/flash.json"), "COM14", 460800)
    tool = "esptool --chip esp32s3 --port COM14 --baud 460800 write-flash "
    assert command.startswith(tool + "0x0 build/B/bootloader.bin ")
    parts = shlex.split(command.removeprefix(tool))
    merge = [sys.executable, "-m", "esptool", "--chip", "esp32s3", "merge-bin", "-o", "merged.bin"]
    subprocess.run([*merge, "--pad-to-size", "16MB", *parts], check=True, capture_output=True)
    assert Path("merged.bin").read_bytes() == flash
