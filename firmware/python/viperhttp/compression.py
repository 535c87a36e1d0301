# SPDX-License-Identifier: MIT
"""gzip_static(): the .gz siblings of a folder's files, made on the device."""

import binascii
import os
import struct

import _viperhttp

_FOLDER = 0x4000  # in the mode that os.stat and os.ilistdir give
_CHUNK = 4096
_TRAILER = 8  # CRC-32 and size of the source, little endian (RFC 1952)
# How a .gz starts that was made here or by the build: without a name or a time, system unknown.
_OURS = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_TEMPORARY = "/.gz"  # not served, for it starts with a dot

# Compressed already: another pass makes them no smaller.
_PACKED = tuple(".gz .png .jpg .jpeg .gif .webp .avif .woff .woff2 .mp3 .mp4 .webm .zip".split())


def gzip_static(root="/www", min_size=1024, level=6):
    """Makes missing or stale .gz siblings below `root`, and removes those without a source.

    Files under `min_size` bytes, and those that would not shrink, get none. A sibling is written
    under another name and renamed, so a reset midway leaves no wrong one: at worst, on FAT, none.
    Only a .gz that this function or the build made is removed.

    Takes up to 192 KiB beside Python's heap, whatever the files' sizes, and frees them.

    Returns a dict: files that were "made", "fresh", "skipped" and "removed", and the "bytes_in" and
    "bytes_out" of those made. OSError when the file system is full or fails, MemoryError, and
    ValueError for a level outside 1..9.
    """
    if not 1 <= level <= 9:
        raise ValueError("level must be in 1..9")
    root = root.rstrip("/")
    temporary = root + _TEMPORARY
    counts = {"made": 0, "fresh": 0, "skipped": 0, "removed": 0, "bytes_in": 0, "bytes_out": 0}
    _remove_if_there(temporary)
    try:
        for folder in _folders(root):
            _gzip_folder(folder, temporary, min_size, level, counts)
    finally:
        _remove_if_there(temporary)
        _viperhttp.invalidate(root or "/")
    return counts


def _folders(root):
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        yield folder
        for name, mode in _entries(folder):
            if mode & _FOLDER:
                waiting.append(folder + "/" + name)


def _entries(folder):
    """Name and mode of what can be served from a folder."""
    for entry in os.ilistdir(folder or "/"):
        if not entry[0].startswith("."):
            yield entry[0], entry[1]


def _gzip_folder(folder, temporary, min_size, level, counts):
    # The names are few enough for a list; the folder changes below.
    names = [name for name, mode in _entries(folder) if not mode & _FOLDER]
    for name in names:
        path = folder + "/" + name
        if name.endswith(".gz"):
            if name[:-3] not in names and is_made(path):
                os.remove(path)
                counts["removed"] += 1
        elif not name.lower().endswith(_PACKED):
            _gzip_file(path, path + ".gz", temporary, min_size, level, counts)


def _gzip_file(path, sibling, temporary, min_size, level, counts):
    size = os.stat(path)[6]
    if size < min_size:
        counts["skipped"] += 1
        _remove_if_ours(sibling, counts)
    elif _trailer(sibling) == struct.pack("<II", _crc32(path), size):
        counts["fresh"] += 1
    elif _trailer(sibling) is not None and not is_made(sibling):
        counts["skipped"] += 1  # somebody else's
    else:
        with open(path, "rb") as source, open(temporary, "wb") as target:
            read, written = _viperhttp.gzip_copy(source, target, level)
        if written < read:
            os.rename(temporary, sibling)
            counts["made"] += 1
            counts["bytes_in"] += read
            counts["bytes_out"] += written
        else:
            counts["skipped"] += 1
            _remove_if_ours(sibling, counts)


def _crc32(path):
    crc = 0
    chunk = memoryview(bytearray(_CHUNK))
    with open(path, "rb") as file:
        while length := file.readinto(chunk):
            crc = binascii.crc32(chunk[:length], crc)
    return crc


def _trailer(path):
    """The last bytes of a .gz, None when it is not there."""
    try:
        size = os.stat(path)[6]
        with open(path, "rb") as file:
            file.seek(max(0, size - _TRAILER))
            return file.read(_TRAILER)
    except OSError:
        return None


def is_made(path):
    """Whether a .gz was made by this function or the build."""
    with open(path, "rb") as file:
        return file.read(len(_OURS)) == _OURS


def _remove_if_ours(path, counts):
    if _trailer(path) is not None and is_made(path):
        os.remove(path)
        counts["removed"] += 1


def _remove_if_there(path):
    try:
        os.remove(path)
    except OSError:
        pass
