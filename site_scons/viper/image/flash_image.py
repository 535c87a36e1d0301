# SPDX-License-Identifier: MIT
"""The whole flash as one image, and flash.json: which parts it is made of.

    {"format": 1, "board": "VIRTUAL_N16R8", "chip": "esp32s3", "flash_size": 16777216,
     "psram_size": 8388608,
     "parts": [{"name": "bootloader", "offset": 0, "size": 160, "file": "bootloader.bin",
                "sha256": "...", "kind": "firmware"}, ...],
     "files": {"/www/index.html": {"size": 812, "sha256": "...", "source": "assets/..."}, ...}}

Parts are sorted by offset. "file" is relative to flash.json's folder, "source" to the project's
root. A part of kind "filesystem" names the sectors that it uses ("used"), an application the size
of its slot ("slot_size"). What is the user's on a device, nvs and phy_init, is no part.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from viper.base import atomic_file, chip_models
from viper.base.errors import UserError
from viper.image import device_files, partition_table
from viper.image.partition_table import PartitionTable
from viper.source.board import Hardware


@dataclass(frozen=True)
class Inputs:
    """The files that go to flash."""

    bootloader: Path
    partition_table: Path
    otadata: Path
    app: Path  # for the partition `factory`
    files: Path  # what `device_files.write` made
    vfs: Path  # what `vfs_image.write` made ...
    vfs_index: Path  # ... and its record


def write(image: Path, index: Path, inputs: Inputs, table: PartitionTable, board: Hardware) -> None:
    """Write flash.bin, FF where nothing is, and flash.json.

    Raises:
        UserError: a part is larger than its place in flash.
    """
    vfs = json.loads(inputs.vfs_index.read_text(encoding="utf-8"))
    flash = bytearray(b"\xff" * board.flash_size)
    parts = []

    def place(name: str, file: Path, offset: int, room: int, kind: str, **more: object) -> None:
        data = file.read_bytes()
        if len(data) > room:
            raise UserError(
                f"{file} is {len(data)} bytes, and '{name}' at {offset:#x} holds {room}: "
                f"{len(data) - room} too many",
                f"make it smaller, or the partition larger in {table.source}",
            )
        flash[offset : offset + len(data)] = data
        parts.append(
            {
                "name": name,
                "offset": offset,
                "size": len(data),
                "file": Path(os.path.relpath(file, index.parent)).as_posix(),
                "sha256": hashlib.sha256(data).hexdigest(),
                "kind": kind,
                **more,
            }
        )

    start = chip_models.MODELS[board.chip].bootloader_offset
    room = partition_table.TABLE_OFFSET - start
    place("bootloader", inputs.bootloader, start, room, "firmware")
    place(
        "partition-table",
        inputs.partition_table,
        partition_table.TABLE_OFFSET,
        partition_table.BINARY_SIZE,
        "firmware",
    )
    for name, file, kind in (
        ("otadata", inputs.otadata, "firmware"),
        ("factory", inputs.app, "firmware"),
        ("vfs", inputs.vfs, "filesystem"),
    ):
        if name == "otadata" and "otadata" not in table:
            continue  # a board without slots for updates
        entry = table[name]
        more: dict[str, Any] = {}
        if entry.type == partition_table.APP:
            more["slot_size"] = entry.size
        if kind == "filesystem":
            more["used"] = vfs["used"]
        place(name, file, entry.offset, entry.size, kind, **more)

    atomic_file.write(image, flash)
    atomic_file.write_json(
        index,
        {
            **json.loads(inputs.files.read_text(encoding="utf-8")),
            "format": device_files.FORMAT,
            "parts": sorted(parts, key=lambda part: part["offset"]),
        },
    )
