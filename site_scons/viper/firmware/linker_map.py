# SPDX-License-Identifier: MIT
"""A linker map of GNU ld: which object each piece of a firmware comes from, and what it takes.

esp-idf-size reads it, ESP-IDF's maps and others alike: ld lists pieces that it has merged with
others or relaxed away, and fills gaps between them, which its parser accounts for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from esp_idf_size.mapfile import MapFile

# Output sections by what they end with or begin with: of ESP-IDF's linker scripts, and of GNU ld's
# own for the virtual board.
_NO_MEMORY = ("dummy", "noload", "reserved_for_iram")  # they keep addresses free
_NOT_IN_FLASH = (".bss", "noinit")
_SRAM = (".iram0", ".dram0", ".noinit", ".data", ".bss", ".got")
_READ_ONLY = (".data.rel.ro",)
_PSRAM = (".ext_ram",)

# Sections whose strings ld merges with equal ones of other objects: GCC's name for them.
_STRINGS = re.compile(r"\.str\d+\.\d+$")

# esp-idf-size's names for the parts of a chip's SRAM.
_SRAM_TYPES = ("IRAM", "DRAM", "DIRAM")


@dataclass(frozen=True)
class Piece:
    """One input section that was linked.

    Attributes:
        output: the output section it went to (".flash.text").
        name: its own (".text.vhttp_poll").
        size: bytes, with what fills the gap behind it.
        origin: the object, as ld names it: "esp-idf/main/libmain.a(main.c.obj)".
    """

    output: str
    name: str
    size: int
    origin: str

    @property
    def is_merged(self) -> bool:
        """Whether it has strings of many objects: ld credits all to the first that has some."""
        return _STRINGS.search(self.name) is not None

    @property
    def in_flash(self) -> bool:
        """Whether the image has it, to be used there or to be loaded into RAM."""
        return not self.output.endswith(_NOT_IN_FLASH)

    @property
    def in_sram(self) -> bool:
        """Whether it takes internal RAM for good."""
        return self.output.startswith(_SRAM) and not self.output.startswith(_READ_ONLY)

    @property
    def in_psram(self) -> bool:
        """Whether it takes PSRAM for good."""
        return self.output.startswith(_PSRAM)


@dataclass(frozen=True)
class Usage:
    """Bytes that some pieces take for good."""

    flash: int
    sram: int
    psram: int


def read(file: Path) -> list[Piece]:
    """Every piece that was linked and takes room.

    Raises:
        ValueError: it is no linker map.
    """
    return [
        Piece(section["name"], piece["name"], piece["size"] + piece["fill"], _origin(piece))
        for section in _parsed(file).sections
        if section["address"] and not section["name"].endswith(_NO_MEMORY)
        for piece in section["input_sections"]
        if piece["size"] + piece["fill"]
    ]


def of_module(pieces: Iterable[Piece], module: str) -> Iterator[Piece]:
    """The pieces that come from a C module's objects."""
    return (piece for piece in pieces if module in piece.origin and not piece.is_merged)


def usage(pieces: Iterable[Piece]) -> Usage:
    """What pieces take; what is loaded into RAM is in flash too."""
    flash = sram = psram = 0
    for piece in pieces:
        flash += piece.size if piece.in_flash else 0
        sram += piece.size if piece.in_sram else 0
        psram += piece.size if piece.in_psram else 0
    return Usage(flash, sram, psram)


def sram_size(file: Path) -> int | None:
    """How much SRAM the linker could use of the chip that a map is for; None if it is for none."""
    parsed = _parsed(file)
    if not parsed.target:
        return None
    from esp_idf_size import memorymap

    types = memorymap.get(str(file), load_symbols=False, map_file=parsed)["memory_types"]
    return sum(int(types[name]["size"]) for name in _SRAM_TYPES if name in types)


def _parsed(file: Path) -> MapFile:
    from esp_idf_size.mapfile import MapFile, MapFileException
    from esp_pylib.logger import log

    log.set_verbosity("silent")  # that a map is for no chip is no matter
    try:
        return MapFile(str(file))
    except MapFileException as problem:
        raise ValueError(f"{file}: {problem}") from None


def _origin(piece: dict[str, str]) -> str:
    archive, name = piece["archive"], piece["object_file"]
    return name if archive == "(exe)" else f"{archive}({name})"
