# SPDX-License-Identifier: MIT
"""What viperhttp takes of a board's memory while it serves, as its firmware says.

The module writes the numbers into every image: core/memory_use.h describes the record.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

_RECORD = struct.Struct("<16s3I")
_NAME = b"VHTTP_MEMORY_USE"


@dataclass(frozen=True)
class ModuleMemory:
    """Bytes that are allocated when a server starts.

    Attributes:
        internal: of internal RAM, the stack of the server's task included.
        psram: of PSRAM, on a board that has some.
        sram: of internal RAM, beyond `internal`, on a board that has none.
    """

    internal: int
    psram: int
    sram: int


def read(image: bytes) -> ModuleMemory:
    """Read the record of an application image or of an ELF file.

    Raises:
        ValueError: the module is not in it.
    """
    at = image.find(_NAME)
    if at < 0 or at + _RECORD.size > len(image):
        raise ValueError("no record of viperhttp's memory")
    _, internal, psram, sram = _RECORD.unpack_from(image, at)
    return ModuleMemory(internal, psram, sram)
