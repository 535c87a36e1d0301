# SPDX-License-Identifier: MIT
"""What a build takes of flash and memory, by part, by component and by symbol.

    {"parts": {"factory": 667136, "vfs": 114688, ...},
     "memory": {"flash": 451234, "SRAM": 7034, "SRAM of the server": 73728, ...},
     "of": {"SRAM": 358144, ...},
     "components": {"py": 210344, ...}, "symbols": {"mp_execute_bytecode": 8123, ...}}

All numbers are bytes. Memory is what the linker gave away and, on a chip, what a server allocates
when it starts; "of" is how much the chip has. Components and symbols count what is in flash.
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from viper.firmware import linker_map
from viper.firmware.linker_map import Piece
from viper.firmware.module_memory import ModuleMemory
from viper.image.sectors import SECTOR_SIZE

_SYMBOLS = 200  # of the largest that are kept of a build

_ARCHIVE = re.compile(r"(?:^|/)lib([^/]+)\.a\(")
_SECTION = re.compile(r"^\.(?:text|rodata|data\.rel\.ro|data|bss|literal)(?:\.local)?\.(.+)$")


@dataclasses.dataclass(frozen=True)
class Change:
    """A name with its size, and by how much that differs from another build; None if unknown."""

    name: str
    size: int
    difference: int | None


def parts(flash: Mapping[str, Any]) -> dict[str, int]:
    """What each part of flash.json takes of its partition."""
    return {part["name"]: used(part) for part in flash["parts"]}


def used(part: Mapping[str, Any]) -> int:
    """What a part of flash.json takes: of a file system, the sectors that hold something."""
    if part["kind"] == "filesystem":
        return SECTOR_SIZE * sum(int(count) for _, count in part["used"])
    return int(part["size"])


def linked(map_file: Path, server: ModuleMemory, psram_size: int) -> dict[str, dict[str, int]]:
    """Everything but the parts.

    Args:
        map_file: the linker's map of the application.
        server: what a server takes when it starts.
        psram_size: of the board, in bytes.

    Raises:
        ValueError: it is no linker map.
    """
    pieces = linker_map.read(map_file)
    components: Counter[str] = Counter()
    symbols: Counter[str] = Counter()
    for piece in pieces:
        if piece.in_flash:
            components[component(piece)] += piece.size
            name = _SECTION.match(piece.name)
            if name and not piece.is_merged:
                symbols[name[1]] += piece.size
    usage = linker_map.usage(pieces)
    memory = {"flash": usage.flash, "SRAM": usage.sram}
    of: dict[str, int] = {}
    sram_size = linker_map.sram_size(map_file)
    if sram_size is not None:
        of["SRAM"] = of["SRAM of the server"] = sram_size
        memory["SRAM of the server"] = server.internal + (0 if psram_size else server.sram)
        if psram_size:
            of["PSRAM"] = of["PSRAM of the server"] = psram_size
            memory |= {"PSRAM": usage.psram, "PSRAM of the server": server.psram}
    return {
        "memory": memory,
        "of": of,
        "components": dict(components),
        "symbols": dict(symbols.most_common(_SYMBOLS)),
    }


def component(piece: Piece) -> str:
    """The part of the program that a piece belongs to.

    An archive by its name, MicroPython and its modules by their folders, the rest is the system's.
    What ld has merged belongs to nobody, and is a part of its own.
    """
    if piece.output.startswith(".rela"):
        return "relocations"
    if piece.is_merged:
        return "string literals"
    archive = _ARCHIVE.search(piece.origin)
    if archive:
        return archive[1]
    _, found, inside = piece.origin.rpartition("/firmware/")
    if not found:
        return "the system's start"
    folder = Path(inside.removeprefix("cmodules/")).parent.parts
    if not folder:
        return "frozen Python" if inside.startswith("frozen_content") else "port"
    return "/".join(folder[:2]) if folder[0] in ("viperhttp", "lib") else folder[0]


def compared(now: Mapping[str, int], before: Mapping[str, int] | None) -> list[Change]:
    """Sizes with their change, the largest first; what is gone is told with size 0."""
    names = {**(before or {}), **now}
    changes = [
        Change(
            name,
            now.get(name, 0),
            None if before is None else now.get(name, 0) - before.get(name, 0),
        )
        for name in names
    ]
    return sorted(changes, key=lambda change: (-change.size, change.name))
