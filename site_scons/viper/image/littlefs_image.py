# SPDX-License-Identifier: MIT
"""A LittleFS2 file system as an image, by littlefs-python.

Blocks of 4096 bytes, reads and programs of 32, files of up to 128 bytes within their folder: what
MicroPython's VfsLfs2 mounts with by default (`extmod/vfs_lfs.c`). littlefs chooses blocks one after
the other, so that an edit may move what was written after it: FAT is the default because there a
small edit is a small difference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from viper.base.errors import UserError
from viper.image import filesystem_image
from viper.image.filesystem_image import FilesystemImage
from viper.image.sectors import SECTOR_SIZE

if TYPE_CHECKING:
    from littlefs import LittleFS
    from littlefs.lfs import LFSConfig

_ACCESS_SIZE = 32
_INLINE_MAX = 128  # MicroPython's cache size, which bounds what it reads from within a folder
_BLOCK_CYCLES = 100
_NO_SPACE = -28  # LFS_ERR_NOSPC


def build(files: Mapping[str, bytes], size: int) -> FilesystemImage:
    """Make a file system that holds `files`.

    Args:
        files: content by path, "/" between a path's parts.
        size: bytes of the partition.

    Raises:
        UserError: more than fits, or a size that is no multiple of a block.
    """
    from littlefs import LittleFSError

    blocks = filesystem_image.sectors(size)
    try:
        storage = _write(files, blocks)
    except LittleFSError as error:
        if error.code != _NO_SPACE:
            raise
        raise _too_big(files, blocks) from None
    live = _live_blocks(storage)
    image = bytearray(b"\xff" * size)
    for block in live:
        at = slice(block * SECTOR_SIZE, (block + 1) * SECTOR_SIZE)
        image[at] = storage.data[at]
    return FilesystemImage.of(bytes(image), live)


class _Storage:
    """Flash in memory, which knows what was touched; littlefs-python calls it its context."""

    def __init__(self, data: bytearray) -> None:
        self.data = data
        self.touched: set[int] = set()

    def read(self, config: LFSConfig, block: int, offset: int, size: int) -> bytearray:
        self.touched.add(block)
        start = block * SECTOR_SIZE + offset
        return self.data[start : start + size]

    def prog(self, config: LFSConfig, block: int, offset: int, data: bytes) -> int:
        start = block * SECTOR_SIZE + offset
        self.data[start : start + len(data)] = data
        return 0

    def erase(self, config: LFSConfig, block: int) -> int:
        start = block * SECTOR_SIZE
        self.data[start : start + SECTOR_SIZE] = b"\xff" * SECTOR_SIZE
        return 0

    def sync(self, config: LFSConfig) -> int:
        return 0


def _open(storage: _Storage) -> LittleFS:
    from littlefs import LittleFS

    return LittleFS(
        context=storage,  # type: ignore[arg-type]  # it only ever calls these four methods
        mount=False,
        block_size=SECTOR_SIZE,
        block_count=len(storage.data) // SECTOR_SIZE,
        read_size=_ACCESS_SIZE,
        prog_size=_ACCESS_SIZE,
        cache_size=SECTOR_SIZE,
        lookahead_size=_ACCESS_SIZE,
        inline_max=_INLINE_MAX,
        block_cycles=_BLOCK_CYCLES,
    )


def _write(files: Mapping[str, bytes], blocks: int) -> _Storage:
    storage = _Storage(bytearray(b"\xff" * (blocks * SECTOR_SIZE)))
    filesystem = _open(storage)
    filesystem.format()
    filesystem.mount()
    for path in sorted(files):
        folder = path.rpartition("/")[0]
        if folder:
            filesystem.makedirs(folder, exist_ok=True)
        with filesystem.open(path, "wb") as file:
            file.write(files[path])
    filesystem.unmount()
    return storage


def _live_blocks(storage: _Storage) -> list[int]:
    """The blocks that reading everything touches.

    That includes the erased half of each pair of metadata blocks, in which whatever a flash held
    before would be taken for a newer version.
    """
    storage.touched.clear()
    filesystem = _open(storage)
    filesystem.mount()
    for folder, _, names in filesystem.walk("/"):
        for name in names:
            with filesystem.open(f"{folder}/{name}", "rb") as file:
                file.read()
    filesystem.unmount()
    return sorted(storage.touched)


def _too_big(files: Mapping[str, bytes], blocks: int) -> UserError:
    """The error for files that do not fit, with figures from a larger flash where they do."""
    most = sum(3 + len(data) // (SECTOR_SIZE // 2) for data in files.values())
    needed = len(_live_blocks(_write(files, blocks + most)))
    return filesystem_image.too_big("LittleFS", files, max(needed, blocks + 1), blocks)
