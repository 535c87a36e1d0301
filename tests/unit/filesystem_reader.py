# SPDX-License-Identifier: MIT
"""What a file system image holds, read by the libraries alone, for tests."""

from __future__ import annotations

from io import BytesIO

from littlefs import LittleFS, UserContext
from pyfatfs.FATDirectoryEntry import FATDirectoryEntry
from pyfatfs.PyFat import PyFat


class _ReadOnlyBytes(BytesIO):
    """An image that pyfatfs must not mark as mounted."""

    def writable(self) -> bool:
        return False


def read_fat(image: bytes) -> dict[str, bytes]:
    """All files of a FAT image by path, without a leading "/"."""
    files: dict[str, bytes] = {}

    def name_of(entry: FATDirectoryEntry) -> str:
        return repr(entry).encode("cp437").decode()  # as MicroPython names it: see fat_names

    def walk(folder: FATDirectoryEntry, prefix: str) -> None:
        folders, plain, _ = folder.get_entries()
        for entry in plain:
            clusters = fat.get_cluster_chain(entry.get_cluster()) if entry.filesize else ()
            data = b"".join(fat.read_cluster_contents(cluster) for cluster in clusters)
            files[prefix + name_of(entry)] = data[: entry.filesize]
        for entry in folders:
            walk(entry, prefix + name_of(entry) + "/")

    fat = PyFat()
    fat.set_fp(_ReadOnlyBytes(image))
    walk(fat.root_dir, "")
    return files


def read_littlefs(image: bytes) -> dict[str, bytes]:
    """All files of a LittleFS2 image by path, without a leading "/"."""
    filesystem = LittleFS(
        UserContext(buffer=bytearray(image)), mount=False, block_size=4096, block_count=0
    )
    filesystem.mount()
    files = {}
    for folder, _, names in filesystem.walk("/"):
        for name in names:
            path = f"{folder}/{name}".lstrip("/")
            with filesystem.open(path, "rb") as file:
                files[path] = file.read()
    return files
