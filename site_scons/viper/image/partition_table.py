# SPDX-License-Identifier: MIT
"""The partition table: from its CSV to the 0xC00 bytes at 0x8000 that the bootloader reads.

The rules are ESP-IDF's (v5.5.1, components/partition_table/gen_esp32part.py), so that a CSV means
the same here and there; what that tool refuses is refused here, with the line. Two of its
liberties are not taken: a name over 16 bytes is refused, not cut, and environment variables are
not expanded, for the same inputs must give the same table.

The binary: up to 94 entries of 32 bytes `AA 50 | type | subtype | offset u32 | size u32 |
label[16] | flags u32`, then `EB EB`, 14 x FF and the MD5 of all entries; the rest is FF.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from viper.base import chip_models
from viper.base.errors import UserError

TABLE_OFFSET = 0x8000  # where the table lies in flash
TABLE_SECTOR_SIZE = 0x1000  # the flash sector that the table has for itself
BINARY_SIZE = 0xC00  # bytes that the bootloader reads

APP, DATA, BOOTLOADER, PARTITION_TABLE = 0x00, 0x01, 0x02, 0x03

TYPES = {
    "app": APP,
    "data": DATA,
    "bootloader": BOOTLOADER,
    "partition_table": PARTITION_TABLE,
}

SUBTYPES: dict[int, dict[str, int]] = {
    APP: {
        "factory": 0x00,
        **{f"ota_{slot}": 0x10 + slot for slot in range(16)},
        "test": 0x20,
        "tee_0": 0x30,
        "tee_1": 0x31,
    },
    DATA: {
        "ota": 0x00,
        "phy": 0x01,
        "nvs": 0x02,
        "coredump": 0x03,
        "nvs_keys": 0x04,
        "efuse": 0x05,
        "undefined": 0x06,
        "esphttpd": 0x80,
        "fat": 0x81,
        "spiffs": 0x82,
        "littlefs": 0x83,
        "tee_ota": 0x90,
    },
    BOOTLOADER: {"primary": 0x00, "ota": 0x01, "recovery": 0x02},
    PARTITION_TABLE: {"primary": 0x00, "ota": 0x01},
}

FACTORY = SUBTYPES[APP]["factory"]
OTA_0 = SUBTYPES[APP]["ota_0"]
OTADATA = SUBTYPES[DATA]["ota"]
PHY = SUBTYPES[DATA]["phy"]
PRIMARY = 0x00  # the subtype of the bootloader and the table in use, of either type

_ENTRY = struct.Struct("<2sBBLL16sL")
_ENTRY_MAGIC = b"\xaa\x50"
_MD5_BEGIN = b"\xeb\xeb" + b"\xff" * 14
_END = b"\xff" * 4  # magic, type and subtype; the rest of that entry is not looked at
_MAX_ENTRIES = BINARY_SIZE // _ENTRY.size - 2  # the MD5 and the end take one each

_FLAGS = {"encrypted": 1 << 0, "readonly": 1 << 1}
_LABEL_SIZE = 16
_APP_OFFSET_ALIGNMENT = 0x10000  # what the flash cache can map
_SECTOR_SIZE = 0x1000
_OTADATA_SIZE = 0x2000
_NVS_WRITABLE_MIN = 0x3000
_UINT32_MAX = 0xFFFFFFFF


@dataclass(frozen=True)
class Entry:
    """One partition."""

    name: str
    type: int
    subtype: int
    offset: int  # bytes from the start of flash
    size: int  # bytes
    encrypted: bool = False
    readonly: bool = False
    line: int = 0  # where the CSV says it; 0 when read from the binary

    @property
    def end(self) -> int:
        """The first address after it."""
        return self.offset + self.size

    @property
    def _is_fixed(self) -> bool:
        """Whether its place is not the CSV's to choose: the bootloader and table in use."""
        return self.type in (BOOTLOADER, PARTITION_TABLE) and self.subtype == PRIMARY

    def to_binary(self) -> bytes:
        """The 32 bytes of this entry."""
        flags = _FLAGS["encrypted"] * self.encrypted | _FLAGS["readonly"] * self.readonly
        label = self.name.encode()
        return _ENTRY.pack(
            _ENTRY_MAGIC, self.type, self.subtype, self.offset, self.size, label, flags
        )


@dataclass(frozen=True)
class PartitionTable:
    """All partitions, in the table's order."""

    entries: tuple[Entry, ...]
    source: str = ""  # the CSV's path, for messages

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __contains__(self, name: str) -> bool:
        return any(entry.name == name for entry in self)

    def __getitem__(self, name: str) -> Entry:
        """The partition of that name.

        Raises:
            UserError: there is none.
        """
        for entry in self.entries:
            if entry.name == name:
                return entry
        listed = ", ".join(entry.name for entry in self.entries)
        raise UserError(
            f"{self.source or 'partition table'}: no partition '{name}' (it has: {listed})",
            f"add a line for '{name}'",
        )

    def find(self, type: int, subtype: int) -> Entry | None:
        """The first partition of a type and subtype."""
        for entry in self.entries:
            if (entry.type, entry.subtype) == (type, subtype):
                return entry
        return None

    def find_named(self, name: str) -> Entry | None:
        """The partition of a name."""
        return next((entry for entry in self.entries if entry.name == name), None)

    def to_binary(self) -> bytes:
        """The 0xC00 bytes for flash, with the MD5 entry."""
        entries = b"".join(entry.to_binary() for entry in self.entries)
        table = entries + _MD5_BEGIN + hashlib.md5(entries, usedforsecurity=False).digest()
        return table.ljust(BINARY_SIZE, b"\xff")


def load(csv: Path, flash_size: int, chip: str) -> PartitionTable:
    """Read a partition CSV and check it all.

    Args:
        csv: the file, in UTF-8, or in UTF-16 or UTF-32 with a byte order mark.
        flash_size: bytes of flash that the board has.
        chip: the board's, a name of chip_models.MODELS.

    Raises:
        UserError: anything that ESP-IDF refuses, as "<csv> line N: ...".
    """
    try:
        text = _decode(csv.read_bytes())
    except UnicodeDecodeError:
        raise UserError(f"{csv}: not a text in UTF-8", "save it as UTF-8") from None
    return from_csv(text, flash_size, chip, str(csv))


def from_csv(
    text: str, flash_size: int, chip: str, source: str = "partitions.csv"
) -> PartitionTable:
    """As `load`, from the CSV's text; `source` names it in messages."""
    bootloader = chip_models.MODELS[chip].bootloader_offset
    try:
        parsed = []
        for number, raw_line in enumerate(text.splitlines(), 1):
            line = raw_line.strip()
            if line and not line.startswith("#"):
                parsed.append(_parse_line(line, number, bootloader))
        entries = _place(parsed)
        _check_each(entries)
        _check_together(entries, flash_size)
    except _Refusal as refusal:
        place = f"{source} line {refusal.line}" if refusal.line else source
        raise UserError(f"{place}: {refusal.what}", refusal.next_step) from None
    return PartitionTable(tuple(entries), source)


def from_binary(data: bytes, flash_size: int) -> PartitionTable:
    """Read a table as the bootloader does.

    The rules are those of ESP-IDF v5.5.1 (bootloader_support/src/flash_partitions.c,
    esp_partition_table_verify): the MD5 entry may be missing, and what follows it does not count.

    Args:
        data: at least the table's entries up to the end mark; what follows is not read.
        flash_size: bytes of flash that the chip has.

    Raises:
        ValueError: what the bootloader refuses: a wrong magic, a wrong MD5 or a second one, a
            partition beyond the flash's end, no entry at all, or no end mark within 0xC00 bytes.
    """
    entries: list[Entry] = []
    md5_at: int | None = None
    for offset in range(0, min(len(data), BINARY_SIZE) - _ENTRY.size + 1, _ENTRY.size):
        record = data[offset : offset + _ENTRY.size]
        if record[:2] == _ENTRY_MAGIC:
            entry = _parse_record(record)
            # The bootloader adds in 32 bits, and so takes what wraps around to its own undoing.
            if entry.offset > flash_size or entry.end & _UINT32_MAX > flash_size:
                raise ValueError(
                    f"partition {offset // _ENTRY.size} at {entry.offset:#x} of {entry.size:#x} "
                    f"bytes is beyond the flash of {flash_size:#x}"
                )
            if md5_at is None:
                entries.append(entry)
        elif record[:2] == _MD5_BEGIN[:2]:
            if md5_at is not None:
                raise ValueError("partition table has more than one MD5 entry")
            md5_at = offset
            digest = hashlib.md5(data[:md5_at], usedforsecurity=False).digest()
            if record[len(_MD5_BEGIN) :] != digest:
                raise ValueError("partition table's MD5 does not match its entries")
        elif record.startswith(_END) and offset:
            return PartitionTable(tuple(entries))
        else:
            raise ValueError(
                f"partition {offset // _ENTRY.size} has the wrong magic {record[:2].hex()}"
            )
    raise ValueError("partition table has no end mark")


def on_chip(read: Callable[[int, int], bytes], flash_size: int) -> PartitionTable:
    """The table that a chip has; an empty one where there is none.

    Args:
        read: gives so many bytes of its flash from an offset on.
        flash_size: bytes of flash that it has.

    Raises:
        ValueError: there is something else, or a table that the bootloader refuses.
    """
    data = read(TABLE_OFFSET, BINARY_SIZE)
    if data == b"\xff" * BINARY_SIZE:
        return PartitionTable(())
    table = from_binary(data, flash_size)
    for entry in table:
        if entry.end > flash_size:  # which the bootloader's 32 bits do not see
            raise ValueError(f"partition '{entry.name}' is beyond the flash of {flash_size:#x}")
    return table


def booted_by(read: Callable[[int, int], bytes], flash_size: int) -> PartitionTable:
    """The table that a chip boots by; an empty one if it has none that it could. See `on_chip`."""
    try:
        return on_chip(read, flash_size)
    except ValueError:
        return PartitionTable(())


class _Refusal(Exception):
    """Something wrong at a line of the CSV; line 0 means the whole file."""

    def __init__(self, line: int, what: str, next_step: str = "") -> None:
        super().__init__(what)
        self.line = line
        self.what = what
        self.next_step = next_step


@dataclass(frozen=True)
class _Draft:
    """A line of the CSV before offsets are filled in and sizes counted from them."""

    entry: Entry  # its offset and size do not count yet
    offset: int | None  # None: follow on from the partition before
    size: int  # negative: reach to that address


def _decode(data: bytes) -> str:
    # UTF-32's little-endian mark begins with UTF-16's, so it is looked for first.
    for mark, encoding in (
        (b"\xff\xfe\x00\x00", "utf-32"),
        (b"\x00\x00\xfe\xff", "utf-32"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if data.startswith(mark):
            return data.decode(encoding)
    return data.decode("utf-8-sig")


def _parse_line(line: str, number: int, bootloader: int) -> _Draft:
    """One line; `bootloader` is where the chip has the one in use."""
    variable = re.search(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)", line)
    if variable:
        raise _Refusal(number, f"the variable ${variable[1]} is not expanded", "write its value")
    columns = [column.strip() for column in line.split(",")] + [""] * 5
    name, type_text, subtype_text, offset_text, size_text, flags_text = columns[:6]

    if len(name.encode()) > _LABEL_SIZE:
        raise _Refusal(number, f"the name '{name}' is longer than {_LABEL_SIZE} bytes")
    if not type_text:
        raise _Refusal(number, "the type is empty", f"types: {', '.join(TYPES)}, or a number")
    type_ = _byte(type_text, TYPES, number, "type")
    known_subtypes = SUBTYPES.get(type_, {})
    if subtype_text:
        subtype = _byte(subtype_text, known_subtypes, number, "subtype")
    elif type_ == APP:
        raise _Refusal(
            number, "an app partition must have a subtype", f"subtypes: {', '.join(known_subtypes)}"
        )
    else:
        subtype = SUBTYPES[DATA]["undefined"]

    offset: int | None
    if type_ == BOOTLOADER and subtype == PRIMARY:
        offset = bootloader
    elif type_ == BOOTLOADER and subtype == SUBTYPES[BOOTLOADER]["recovery"]:
        raise _Refusal(number, "a recovery bootloader needs an address, which no board here has")
    elif type_ == PARTITION_TABLE and subtype == PRIMARY:
        offset = TABLE_OFFSET
    else:
        offset = _number(offset_text, number, "offset") if offset_text else None
    if type_ == BOOTLOADER:
        size = TABLE_OFFSET - bootloader
    elif type_ == PARTITION_TABLE:
        size = TABLE_SECTOR_SIZE
    elif size_text:
        size = _number(size_text, number, "size")
    else:
        raise _Refusal(number, f"the size of '{name}' is empty")

    flags = [flag for flag in flags_text.split(":") if flag]
    for flag in flags:
        if flag not in _FLAGS:
            raise _Refusal(number, f"unknown flag '{flag}'", f"flags: {', '.join(_FLAGS)}")
    entry = Entry(
        name=name,
        type=type_,
        subtype=subtype,
        offset=0,
        size=0,
        encrypted="encrypted" in flags,
        readonly="readonly" in flags,
        line=number,
    )
    return _Draft(entry, offset, size)


def _number(text: str, line: int, column: str) -> int:
    """An integer in any of Python's notations, with K or M after it for KiB or MiB."""
    scales = {"k": 1 << 10, "m": 1 << 20}
    scale = scales.get(text[-1:].lower(), 1)
    try:
        return int(text[:-1] if scale > 1 else text, 0) * scale
    except ValueError:
        raise _Refusal(
            line, f"the {column} '{text}' is not a number", "write it as 0x9000, 36864, 36K or 3M"
        ) from None


def _byte(text: str, keywords: dict[str, int], line: int, column: str) -> int:
    """A type or subtype: a keyword, or a number that fits a byte."""
    if text.lower() in keywords:
        return keywords[text.lower()]
    try:
        value = _number(text, line, column)
    except _Refusal:
        listed = ", ".join(keywords) or "none for this type"
        raise _Refusal(
            line, f"unknown {column} '{text}'", f"known: {listed}; or a number"
        ) from None
    if not 0 <= value <= 0xFF:
        raise _Refusal(line, f"the {column} {text} does not fit a byte")
    return value


def _place(drafts: list[_Draft]) -> list[Entry]:
    """Fill in blank offsets and negative sizes, each from where the line before ends."""
    entries = []
    previous_end = TABLE_OFFSET + TABLE_SECTOR_SIZE
    previous_name = "the partition table"
    for draft in drafts:
        entry, offset, size = draft.entry, draft.offset, draft.size
        if offset is None:
            offset = _align_up(previous_end, _offset_alignment(entry.type))
        elif offset < previous_end and not entry._is_fixed:
            raise _Refusal(
                entry.line,
                f"'{entry.name}' at {offset:#x} overlaps {previous_name}, "
                f"which ends at {previous_end:#x}",
                f"use {_align_up(previous_end, _offset_alignment(entry.type)):#x} or higher, "
                "or leave the offset blank",
            )
        if size < 0:
            size = -size - offset
            if size < 0:
                raise _Refusal(
                    entry.line, f"'{entry.name}' at {offset:#x} begins after the end it is given"
                )
        if not (0 <= offset <= _UINT32_MAX and size <= _UINT32_MAX):
            raise _Refusal(entry.line, f"'{entry.name}' does not fit a 32-bit address space")
        entry = replace(entry, offset=offset, size=size)
        entries.append(entry)
        if not entry._is_fixed:
            previous_end, previous_name = entry.end, f"'{entry.name}'"
    return entries


def _offset_alignment(type_: int) -> int:
    return _APP_OFFSET_ALIGNMENT if type_ == APP else _SECTOR_SIZE


def _align_up(value: int, alignment: int) -> int:
    return -(-value // alignment) * alignment


def _check_each(entries: list[Entry]) -> None:
    for entry in entries:
        alignment = _offset_alignment(entry.type)
        if entry.offset % alignment:
            raise _Refusal(
                entry.line,
                f"'{entry.name}' at {entry.offset:#x} is not aligned to {alignment:#x}",
                f"use {_align_up(entry.offset, alignment):#x}, or leave the offset blank",
            )
        if entry.type == APP and entry.size % _SECTOR_SIZE:
            raise _Refusal(
                entry.line,
                f"the size {entry.size:#x} of '{entry.name}' is not a multiple of "
                f"{_SECTOR_SIZE:#x}",
                f"use {_align_up(entry.size, _SECTOR_SIZE):#x}",
            )
        if entry.type != DATA:
            continue
        if entry.readonly and entry.subtype in (OTADATA, SUBTYPES[DATA]["coredump"]):
            raise _Refusal(
                entry.line,
                f"'{entry.name}' is always written to and cannot be readonly",
                "remove the flag",
            )
        is_nvs = entry.subtype == SUBTYPES[DATA]["nvs"]
        if is_nvs and entry.size < _NVS_WRITABLE_MIN and not entry.readonly:
            raise _Refusal(
                entry.line,
                f"'{entry.name}' of {entry.size:#x} bytes is too small for a writable NVS",
                f"use {_NVS_WRITABLE_MIN:#x} or more, or the flag readonly",
            )


def _check_together(entries: list[Entry], flash_size: int) -> None:
    if len(entries) > _MAX_ENTRIES:
        raise _Refusal(
            entries[_MAX_ENTRIES].line, f"a table holds {_MAX_ENTRIES} partitions at most"
        )
    lines_by_name: dict[str, int] = {}
    for entry in entries:
        if entry.name in lines_by_name:
            raise _Refusal(
                entry.line, f"the name '{entry.name}' is taken by line {lines_by_name[entry.name]}"
            )
        lines_by_name[entry.name] = entry.line

    ordered = sorted(entries, key=lambda entry: entry.offset)
    for entry in ordered:
        # Lines in file order were compared as they were placed; this is for the rest.
        if entry.offset < TABLE_OFFSET + TABLE_SECTOR_SIZE and not entry._is_fixed:
            raise _Refusal(entry.line, f"'{entry.name}' lies below the end of the partition table")
    for before, after in pairwise(ordered):
        if after.offset < before.end:
            raise _Refusal(
                after.line,
                f"'{after.name}' at {after.offset:#x} overlaps '{before.name}' of line "
                f"{before.line}, which ends at {before.end:#x}",
            )

    for subtype in (OTADATA, SUBTYPES[DATA]["tee_ota"]):
        found = [entry for entry in entries if (entry.type, entry.subtype) == (DATA, subtype)]
        if len(found) > 1:
            raise _Refusal(
                found[1].line, f"'{found[1].name}' is a second otadata, after line {found[0].line}"
            )
        if found and found[0].size != _OTADATA_SIZE:
            raise _Refusal(
                found[0].line,
                f"the size of '{found[0].name}' is {found[0].size:#x}",
                f"otadata takes {_OTADATA_SIZE:#x}: two sectors",
            )

    for entry in ordered:
        if entry.end > flash_size:
            raise _Refusal(
                entry.line,
                f"'{entry.name}' ends at {entry.end:#x}, beyond the flash of {flash_size:#x} bytes",
                f"it has {max(flash_size - entry.offset, 0):#x} bytes from {entry.offset:#x} on",
            )


def _parse_record(record: bytes) -> Entry:
    _, type_, subtype, offset, size, label, flags = _ENTRY.unpack(record)
    return Entry(
        name=label.split(b"\0")[0].decode(errors="replace"),
        type=type_,
        subtype=subtype,
        offset=offset,
        size=size,
        encrypted=bool(flags & _FLAGS["encrypted"]),
        readonly=bool(flags & _FLAGS["readonly"]),
    )
