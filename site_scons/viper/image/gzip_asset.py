# SPDX-License-Identifier: MIT
"""Compressing one web asset, to the same bytes on every machine.

The compressor is zlib-ng 2.3 from a pinned wheel. Its hash function is the same on every
processor (the CRC32 instructions that made its output vary are gone since 2.2), and it releases
the GIL, so that threads compress on all cores. libdeflate would compress as well, but its wheel
holds the GIL.
"""

from __future__ import annotations

import struct
import zlib

SUFFIX = ".gz"

# fmt: off
COMPRESSIBLE = frozenset((
    ".bmp", ".css", ".csv", ".htm", ".html", ".ico", ".js", ".json", ".map", ".md", ".mjs", ".svg",
    ".ttf", ".txt", ".wasm", ".webmanifest", ".xml",
))
# fmt: on

_LEVELS = range(1, 10)
# ID1 ID2, CM = deflate, FLG = no name, MTIME = 0, XFL = 0, OS = 255 (unknown); RFC 1952, 2.3
_HEADER = bytes.fromhex("1f8b 08 00 00000000 00 ff")


def suffix(path: str) -> str:
    """The suffix of a path in small letters, ".js"; empty if it has none."""
    stem, dot, suffix = path.rpartition("/")[2].rpartition(".")
    return f".{suffix.lower()}" if stem and dot else ""


def is_compressible(path: str) -> bool:
    """Whether a file of this name is worth compressing; most other types are compressed already."""
    return suffix(path) in COMPRESSIBLE


def compress(data: bytes, level: int) -> bytes:
    """`data` as a gzip file without name and time.

    Args:
        level: 1 (fastest) to 9 (smallest).

    Raises:
        ValueError: the level is out of range.
    """
    from zlib_ng import zlib_ng

    if level not in _LEVELS:
        raise ValueError(f"gzip level {level} is not between 1 and 9")
    deflated = zlib_ng.compress(data, level, -zlib.MAX_WBITS)  # a bare deflate stream
    return _HEADER + deflated + struct.pack("<LL", zlib.crc32(data), len(data) & 0xFFFFFFFF)


def shrunk(data: bytes, level: int, min_size: int) -> bytes:
    """`data` compressed for shipping; empty if it is smaller than `min_size` bytes or does not
    shrink, and ships as it is.
    """
    compressed = compress(data, level) if len(data) >= min_size else b""
    return compressed if len(compressed) < len(data) else b""
