# SPDX-License-Identifier: MIT
"""The partition table of a CSV, made apart from the project's own code for it."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

from idf_double import installation

_TYPES = {"app": 0, "data": 1}
_SUBTYPES = {
    "factory": 0x00, "ota_0": 0x10, "ota_1": 0x11,
    "ota": 0x00, "phy": 0x01, "nvs": 0x02, "coredump": 0x03, "fat": 0x81, "spiffs": 0x82,
    "littlefs": 0x83, "romfs": 0x8F,
}  # fmt: skip
_ENTRY = struct.Struct("<2sBBLL16sL")


def write(csv: Path, output: Path) -> None:
    entries = b""
    end = 0x9000
    for line in csv.read_text().splitlines():
        fields = [field.strip() for field in line.partition("#")[0].split(",")]
        if len(fields) < 5:
            continue
        name, kind, subtype, offset, size, *_ = fields
        align = 0x10000 if kind == "app" else 0x1000
        start = int(offset, 0) if offset else -(-end // align) * align
        length = _bytes(size)
        length = -length - start if length < 0 else length
        entries += _ENTRY.pack(
            b"\xaa\x50", _TYPES[kind], _SUBTYPES[subtype], start, length, name.encode(), 0
        )
        end = start + length
    if installation.has("foreign-table"):
        entries = entries[: -_ENTRY.size]
    digest = b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(entries).digest()
    output.write_bytes((entries + digest).ljust(0xC00, b"\xff"))


def app_slots(table: Path) -> list[int]:
    """The sizes of the partitions that an application goes to."""
    data = table.read_bytes()
    entries = [_ENTRY.unpack_from(data, at) for at in range(0, 0xC00, _ENTRY.size)]
    return [entry[4] for entry in entries if entry[0] == b"\xaa\x50" and entry[1] == 0]


def _bytes(text: str) -> int:
    factor = {"K": 1 << 10, "M": 1 << 20}.get(text[-1].upper(), 1)
    return int(text.rstrip("kKmM"), 0) * factor
