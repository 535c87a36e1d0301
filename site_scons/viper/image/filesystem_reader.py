# SPDX-License-Identifier: MIT
"""The files in a partition of a chip, FAT or littlefs, read where they are.

Only what is asked for is read: a listing costs the tables and folders.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

from viper.image.fat_volume import Damaged, FatVolume
from viper.image.sectors import SECTOR_SIZE, runs

if TYPE_CHECKING:
    from littlefs.lfs import LFSConfig

Read = Callable[[int, int], bytes]
"""So many bytes of the partition, from an offset on."""

_LITTLEFS_MAGIC = b"littlefs"  # 8 bytes into one of the first two blocks
_MAGIC_AT = 8


class Filesystem(Protocol):
    """A file system that is in order."""

    kind: str  # one of board.FILE_SYSTEMS
    sizes: dict[str, int]  # bytes of each file, by path with a leading "/"
    folders: list[str]

    def content(self, path: str) -> bytes:
        """The content of a file."""


def open_partition(read: Read, size: int) -> Filesystem | None:
    """What file system a partition holds; None if none that is known here.

    Raises:
        Damaged: it holds one that cannot be read.
    """
    found = kind(read(0, min(2 * SECTOR_SIZE, size)))
    if found == "littlefs":
        return _LittleFs(read, size)
    return _Fat(read) if found == "fat" else None


def kind(head: bytes) -> str:
    """Which file system begins with two sectors, of board.FILE_SYSTEMS; empty if none does."""
    for block in (0, SECTOR_SIZE):
        if head[block + _MAGIC_AT :].startswith(_LITTLEFS_MAGIC):
            return "littlefs"
    return "fat" if head[510:512] == b"\x55\xaa" else ""


class _Fat:
    kind = "fat"

    def __init__(self, read: Read) -> None:
        self._volume = FatVolume(sector_reader(read))
        entries = self._volume.entries.values()
        self.sizes = {entry.path: entry.size for entry in entries if not entry.is_folder}
        self.folders = [entry.path for entry in entries if entry.is_folder]

    def content(self, path: str) -> bytes:
        return self._volume.content(path)


class _LittleFs:
    kind = "littlefs"

    def __init__(self, read: Read, size: int) -> None:
        from littlefs import LittleFS, LittleFSError

        self._filesystem = LittleFS(
            context=_Context(read),  # type: ignore[arg-type]  # it calls these methods only
            mount=False,
            block_size=SECTOR_SIZE,
            block_count=0,  # as the superblock says
            name_max=255,
        )
        try:
            self._filesystem.mount()
            self.sizes = {}
            self.folders = []
            for folder, below, names in self._filesystem.walk("/"):
                prefix = folder.rstrip("/")
                self.folders += [f"{prefix}/{name}" for name in below]
                for name in names:
                    path = f"{prefix}/{name}"
                    self.sizes[path] = self._filesystem.stat(path).size
        except LittleFSError as error:
            raise Damaged(str(error)) from None

    def content(self, path: str) -> bytes:
        from littlefs import LittleFSError

        try:
            with self._filesystem.open(path, "rb") as file:
                return bytes(file.read())
        except LittleFSError as error:
            raise Damaged(f"{path}: {error}") from None


class _Context:
    """A partition that littlefs-python reads."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._blocks: dict[int, bytes] = {}

    def read(self, config: LFSConfig, block: int, offset: int, size: int) -> bytearray:
        if block not in self._blocks:
            self._blocks[block] = self._read(block * SECTOR_SIZE, SECTOR_SIZE)
        return bytearray(self._blocks[block][offset : offset + size])


def sector_reader(read: Read) -> Callable[[Sequence[int]], dict[int, bytes]]:
    """Reads sectors by their numbers, neighbours in one go."""

    def read_sectors(sectors: Iterable[int]) -> dict[int, bytes]:
        found: dict[int, bytes] = {}
        for run in runs(sectors):
            content = read(run.offset, run.size)
            for at, sector in enumerate(run.sectors):
                found[sector] = content[at * SECTOR_SIZE : (at + 1) * SECTOR_SIZE]
        return found

    return read_sectors
