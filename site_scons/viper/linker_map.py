"""A linker map of GNU ld: which object each piece of a firmware comes from, and what it takes.

The format is that of `ld -Map`: an output section begins a line, an input section is indented by
one space; a long name has its address, size and object on the next line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

# An output section, or an input section with its object. A name alone ends its line.
_OUTPUT = re.compile(r"^(\.[\w.]+)(?:\s|$)")
_INPUT = re.compile(r"^ (\S+)\s+0x([0-9a-f]+)\s+0x([0-9a-f]+)(?: (\S.*))?$")
_NAME = re.compile(r"^ ([.\w$*]\S*)$")
_REST = re.compile(r"^ {10,}0x([0-9a-f]+)\s+0x([0-9a-f]+)(?: (\S.*))?$")
_START = "Linker script and memory map"

# ESP-IDF's output sections in internal RAM. `.dram0.dummy` only keeps the addresses free that
# .iram0 takes on the other bus.
_INTERNAL_RAM = (".iram0", ".dram0", ".noinit")
_NO_MEMORY = (".dram0.dummy",)
_FLASH = (".flash",)


@dataclass(frozen=True)
class Piece:
    """One input section that was linked.

    Attributes:
        output: the output section it went to (".flash.text").
        name: its own (".text.vhttp_poll").
        size: bytes.
        origin: the object, as ld names it: "esp-idf/main/libmain.a(main.c.obj)".
    """

    output: str
    name: str
    size: int
    origin: str


@dataclass(frozen=True)
class Usage:
    """Bytes that some pieces take for good."""

    internal_ram: int
    flash: int


def read(file: Path) -> list[Piece]:
    """Every piece that was linked and takes room."""
    with file.open(encoding="utf-8", errors="replace") as lines:
        return list(_pieces(line.rstrip("\n") for line in lines))


def usage(pieces: Iterable[Piece]) -> Usage:
    """What pieces take of internal RAM and of flash; what is loaded to RAM is in flash too."""
    ram = flash = 0
    for piece in pieces:
        if piece.output.startswith(_INTERNAL_RAM) and piece.output not in _NO_MEMORY:
            ram += piece.size
        elif piece.output.startswith(_FLASH):
            flash += piece.size
    return Usage(ram, flash)


def _pieces(lines: Iterator[str]) -> Iterator[Piece]:
    output = pending = ""
    for line in lines:
        if line == _START:
            break
    for line in lines:
        section = _OUTPUT.match(line)
        if section:
            output, pending = section[1], ""
            continue
        alone = _NAME.match(line)
        if alone:
            pending = alone[1]
            continue
        whole, rest = _INPUT.match(line), _REST.match(line)
        if whole:
            name, size, origin = whole[1], whole[3], whole[4]
        elif rest and pending:
            name, size, origin = pending, rest[2], rest[3]
        else:
            pending = ""
            continue
        pending = ""
        if origin and int(size, 16):
            yield Piece(output, name, int(size, 16), origin)
