"""What a build takes of flash and memory, by part, by component and by symbol.

    {"parts": {"factory": 667136, "vfs": 114688, ...},
     "memory": {"flash": 451234, "internal RAM": 7034, "PSRAM": 0},
     "components": {"py": 210344, ...}, "symbols": {"mp_execute_bytecode": 8123, ...}}

All numbers are bytes. Components and symbols count what is linked into flash.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from viper import linker_map
from viper.flash_sectors import SECTOR_SIZE
from viper.linker_map import Piece

_SYMBOLS = 200  # of the largest that are kept of a build

# Output sections by where they end up: of GNU ld's script for the virtual board, and of ESP-IDF's.
_FLASH = (".text", ".rodata", ".data", ".eh_frame", ".rela", ".plt", ".got", ".flash", ".iram0")
_LOADED = (".dram0.data",)  # kept in flash, used in RAM
_RAM = (".data", ".bss", ".iram0", ".dram0", ".noinit", ".got")
_READ_ONLY = (".data.rel.ro",)
_PSRAM = (".ext_ram",)
_NO_MEMORY = (".dram0.dummy",)

_ARCHIVE = re.compile(r"(?:^|/)lib([^/]+)\.a\(")
_SECTION = re.compile(
    r"^\.(?:text|rodata|data\.rel\.ro|data|bss|literal|iram1|dram1)(?:\.local)?\.(.+)$"
)


@dataclass(frozen=True)
class Change:
    """A name with its size, and by how much that differs from another build; None if unknown."""

    name: str
    size: int
    difference: int | None


def map_file(build: Path) -> Path:
    """Where the linker's map of an application is, in a board's build folder."""
    real = build / "app.map"
    return real if real.is_file() else build / "firmware" / "micropython.map"


def measure(flash: Mapping[str, Any], map_file: Path) -> dict[str, Any]:
    """Measure a build.

    Args:
        flash: flash.json.
        map_file: the linker's map of the application; without it, parts alone are told.
    """
    if not map_file.is_file():
        return {"parts": parts(flash), "memory": {}, "components": {}, "symbols": {}}
    return {"parts": parts(flash), **linked(linker_map.read(map_file))}


def parts(flash: Mapping[str, Any]) -> dict[str, int]:
    """What each part of flash.json takes of its partition."""
    return {part["name"]: used(part) for part in flash["parts"]}


def used(part: Mapping[str, Any]) -> int:
    """What a part of flash.json takes: of a file system, the sectors that hold something."""
    if part["kind"] == "filesystem":
        return SECTOR_SIZE * sum(int(count) for _, count in part["used"])
    return int(part["size"])


def linked(pieces: Iterable[Piece]) -> dict[str, dict[str, int]]:
    """Memory, components and the largest symbols of what was linked."""
    memory: Counter[str] = Counter({"flash": 0, "internal RAM": 0, "PSRAM": 0})
    components: Counter[str] = Counter()
    symbols: Counter[str] = Counter()
    for piece in pieces:
        section = piece.output
        if section in _NO_MEMORY:
            continue
        if section.startswith(_PSRAM):
            memory["PSRAM"] += piece.size
        elif section.startswith(_RAM) and not section.startswith(_READ_ONLY):
            memory["internal RAM"] += piece.size
        if section.startswith((*_FLASH, *_LOADED)):
            memory["flash"] += piece.size
            components[component(piece)] += piece.size
            name = _SECTION.match(piece.name)
            if name:
                symbols[name[1]] += piece.size
    return {
        "memory": dict(memory),
        "components": dict(components),
        "symbols": dict(symbols.most_common(_SYMBOLS)),
    }


def component(piece: Piece) -> str:
    """The part of the program that a piece belongs to.

    An archive by its name, MicroPython and its modules by their folders, the rest is the system's.
    """
    if piece.output.startswith(".rela"):
        return "relocations"  # which ld counts to the first object
    archive = _ARCHIVE.search(piece.origin)
    if archive:
        return archive[1]
    _, found, inside = piece.origin.rpartition("/firmware/")
    if not found:
        return "the system's start"
    folder = Path(inside).parent.parts
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
