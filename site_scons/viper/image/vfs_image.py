# SPDX-License-Identifier: MIT
"""The image of the partition `vfs`: a file system with the device's files, and the note of them.

Beside vfs.img lies vfs.json, the sectors that it uses: {"used": [[first sector, count], ...]}
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from pathlib import Path

from viper.base import atomic_file
from viper.image import fat_image, littlefs_image, ownership
from viper.image.filesystem_image import FilesystemImage


def build(fs: str, files: Mapping[str, bytes], size: int) -> FilesystemImage:
    """Make a file system.

    Args:
        fs: one of `board.FILE_SYSTEMS`.
        files: content by device path.
        size: bytes of the partition.

    Raises:
        UserError: more than fits.
    """
    return {"fat": fat_image.build, "littlefs": littlefs_image.build}[fs](files, size)


def write(
    image: Path,
    index: Path,
    contents: Mapping[str, bytes],
    *,
    fs: str,
    size: int,
    seeds: Collection[str] = (),
) -> None:
    """Write vfs.img and vfs.json.

    Args:
        image: where vfs.img goes.
        index: where vfs.json goes.
        contents: files by device path.
        fs: one of `board.FILE_SYSTEMS`.
        size: bytes of the partition.
        seeds: those that are not noted as ours.

    Raises:
        UserError: more than fits.
    """
    ours = {
        path: hashlib.sha256(content).hexdigest()
        for path, content in contents.items()
        if path not in seeds
    }
    built = build(fs, {**contents, ownership.PATH: ownership.note(ours)}, size)
    atomic_file.write(image, built.data)
    atomic_file.write_json(index, {"used": built.used})
