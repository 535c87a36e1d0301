# SPDX-License-Identifier: MIT
"""otadata as an update writes it, for tests."""

from __future__ import annotations

import struct
import zlib

from viper.image import otadata

VALID = 2
UNDEFINED = 0xFFFFFFFF


def record(seq: int, state: int = UNDEFINED) -> bytes:
    """The 32 bytes at the head of a sector."""
    crc = zlib.crc32(struct.pack("<L", seq), 0xFFFFFFFF)
    return struct.pack("<L20sLL", seq, b"\xff" * 20, state, crc)


def selecting(slot: int, state: int = UNDEFINED) -> bytes:
    """A partition whose first sector makes ota_`slot` boot."""
    return record(slot + 1, state).ljust(otadata.SIZE, b"\xff")
