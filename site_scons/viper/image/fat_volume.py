# SPDX-License-Identifier: MIT
"""A FAT file system as a device has left it: its folders, its files, and whether they are in order.

Reads what MicroPython's FatFs writes to a partition with sectors of 4096 bytes: FAT12 or FAT16,
long names. Nothing is trusted: a chain that loops, ends early or crosses another makes the volume
Damaged.
Source: Microsoft's FAT specification 1.03; names as in viper.image.fat_names.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from viper.image.sectors import SECTOR_SIZE

ReadSectors = Callable[[Sequence[int]], Mapping[int, bytes]]
"""The content of some sectors of the partition, by their number."""

_ENTRY = struct.Struct("<11sBB5xH2xHHHL")  # name, attributes, case, date.., cluster, size
_VOLUME, _FOLDER, _LONG_NAME = 0x08, 0x10, 0x0F
_END, _DELETED, _KANJI = 0x00, 0xE5, 0x05
_LOWER_BASE, _LOWER_EXTENSION = 0x08, 0x10
_LAST_LONG = 0x40
_LONG_MAX = 20  # entries of one long name
_FAT12_MAX = 0xFF5  # clusters, as FatFs counts; with more it is FAT16
_FAT16_MAX = 0xFFF5


class Damaged(Exception):
    """The file system is not whole; the text says where."""


@dataclass(frozen=True)
class Entry:
    """A file or a folder."""

    path: str  # with a leading "/"
    is_folder: bool
    size: int  # bytes; 0 for a folder
    stamp: tuple[int, int]  # date and time of the last change, as FAT has them
    clusters: tuple[int, ...]


class FatVolume:
    """A volume whose tables and folders have been read.

    Attributes:
        entries: every file and folder by path.
        metadata: the content of all sectors that hold no file's data, by number.
        lost: how many clusters are taken that nothing refers to.
    """

    def __init__(self, read: ReadSectors) -> None:
        """Read tables and folders, a level of folders at a time.

        Raises:
            Damaged: it is no such file system, or is not whole.
        """
        self._read = read
        self.metadata = dict(read([0]))
        self._parse_boot_sector(self.metadata[0])
        self.metadata |= read(range(self._reserved, self._first_data))
        fat = b"".join(self.metadata[n] for n in range(self._reserved, self._after_first_fat))
        self._fat = self._unpack(fat)
        self._taken: dict[int, str] = {}
        self.entries: dict[str, Entry] = {}
        self._walk()
        self.lost = sum(
            1 for n in range(2, len(self._fat)) if self._fat[n] and n not in self._taken
        )

    def content(self, path: str) -> bytes:
        """The content of a file."""
        entry = self.entries[path]
        sectors = self._sectors(entry.clusters)
        found = self._read(sectors)
        return b"".join(found[sector] for sector in sectors)[: entry.size]

    def _parse_boot_sector(self, boot: bytes) -> None:
        size, per_cluster, reserved, fats, roots, total16 = struct.unpack_from("<HBHBHH", boot, 11)
        fat_size, total32 = struct.unpack_from("<H8xL", boot, 22)
        total = total16 or total32
        if (
            boot[510:512] != b"\x55\xaa"
            or size != SECTOR_SIZE
            or not (per_cluster and reserved and fats in (1, 2) and roots and fat_size)
        ):
            raise Damaged("it is no FAT with sectors of 4096 bytes")
        root_sectors = -(-roots * 32 // SECTOR_SIZE)
        self._reserved = reserved
        self._after_first_fat = reserved + fat_size
        self._root = range(reserved + fats * fat_size, reserved + fats * fat_size + root_sectors)
        self._first_data = self._root.stop
        self._per_cluster = per_cluster
        clusters = (total - self._first_data) // per_cluster
        if not 1 <= clusters <= _FAT16_MAX:
            raise Damaged(f"it has {clusters} clusters")
        self._bits = 12 if clusters <= _FAT12_MAX else 16
        self._count = clusters + 2
        if self._count * self._bits > fat_size * SECTOR_SIZE * 8:
            raise Damaged("its table is too short")

    def _unpack(self, fat: bytes) -> list[int]:
        if self._bits == 16:
            return list(struct.unpack_from(f"<{self._count}H", fat))
        pairs = (int.from_bytes(fat[at : at + 3], "little") for at in range(0, len(fat) - 2, 3))
        numbers = [number for pair in pairs for number in (pair & 0xFFF, pair >> 12)]
        return numbers[: self._count]

    def _walk(self) -> None:
        level: list[tuple[str, Sequence[int]]] = [("", self._root)]
        while level:
            needed = [n for _, sectors in level for n in sectors if n not in self.metadata]
            if needed:
                self.metadata |= self._read(needed)
            below: list[tuple[str, Sequence[int]]] = []
            for folder, sectors in level:
                records = b"".join(self.metadata[sector] for sector in sectors)
                for entry in self._entries(folder, records):
                    if entry.path in self.entries:
                        raise Damaged(f"{entry.path} is there twice")
                    self.entries[entry.path] = entry
                    if entry.is_folder:
                        below.append((entry.path, self._sectors(entry.clusters)))
            level = below

    def _entries(self, folder: str, records: bytes) -> Iterator[Entry]:
        long_name: list[bytes] = []
        for at in range(0, len(records), _ENTRY.size):
            record = records[at : at + _ENTRY.size]
            if record[0] == _END:
                return
            if record[0] == _DELETED:
                long_name = []
                continue
            name, attributes, case, _, time, date, first, size = _ENTRY.unpack(record)
            if attributes & 0x3F == _LONG_NAME:
                if record[0] & _LAST_LONG:
                    long_name = []
                if len(long_name) >= _LONG_MAX:
                    raise Damaged(f"a name in {folder or '/'} is too long")
                long_name.insert(0, record[1:11] + record[14:26] + record[28:32])
                continue
            if attributes & 0xC0:
                raise Damaged(f"an entry of {folder or '/'} is none")
            shown = _long(long_name) if long_name else _short(name, case)
            long_name = []
            if attributes & _VOLUME or shown in (".", ".."):
                continue
            yield self._entry(f"{folder}/{shown}", attributes, first, size, (date, time))

    def _entry(
        self, path: str, attributes: int, first: int, size: int, stamp: tuple[int, int]
    ) -> Entry:
        is_folder = bool(attributes & _FOLDER)
        clusters = tuple(self._chain(first, path)) if first else ()
        per_cluster = self._per_cluster * SECTOR_SIZE
        if is_folder and not clusters:
            raise Damaged(f"the folder {path} has no place")
        # A file that was open when the power went may have more than its entry says.
        if not is_folder and len(clusters) * per_cluster < size:
            raise Damaged(f"{path} of {size} bytes has {len(clusters)} clusters")
        return Entry(path, is_folder, 0 if is_folder else size, stamp, clusters)

    def _chain(self, first: int, path: str) -> Iterator[int]:
        end = (1 << self._bits) - 8
        cluster = first
        while cluster < end:
            if not 2 <= cluster < self._count or cluster in self._taken:
                raise Damaged(f"{path} runs into {self._taken.get(cluster, 'nowhere')}")
            self._taken[cluster] = path
            yield cluster
            cluster = self._fat[cluster]

    def _sectors(self, clusters: Sequence[int]) -> list[int]:
        return [
            self._first_data + (cluster - 2) * self._per_cluster + sector
            for cluster in clusters
            for sector in range(self._per_cluster)
        ]


def _long(parts: list[bytes]) -> str:
    units = b"".join(parts).decode("utf-16-le", errors="replace").split("\0")[0]
    try:
        return units.encode("cp437").decode()
    except UnicodeError:
        raise Damaged(f"{units!r} is no name that MicroPython writes") from None


def _short(name: bytes, case: int) -> str:
    if name[0] == _KANJI:
        name = bytes([_DELETED]) + name[1:]
    base, extension = name[:8].rstrip(b" "), name[8:].rstrip(b" ")
    base = base.lower() if case & _LOWER_BASE else base
    extension = extension.lower() if case & _LOWER_EXTENSION else extension
    try:
        return (base + (b"." + extension if extension else b"")).decode()
    except UnicodeError:
        raise Damaged(f"{name!r} is no name that MicroPython writes") from None
