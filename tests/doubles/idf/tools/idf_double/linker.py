# SPDX-License-Identifier: MIT
"""micropython.map: where the objects of the executable come from.

Its shape is that of a real one of ESP-IDF v5: the regions of memory, the target among the symbols,
sections that only keep addresses free, texts that are merged with others.
"""

from __future__ import annotations

from pathlib import Path

# By chip: the regions of its linker script, and where .dram0.bss and .flash.text begin.
_CHIPS = {
    "esp32": (
        """\
iram0_0_seg      0x40080000         0x00020000         xr
iram0_2_seg      0x400d0020         0x0032ffe0         xr
dram0_0_seg      0x3ffb0000         0x0002c200         rw
drom0_0_seg      0x3f400020         0x003fffe0         r
extern_ram_seg   0x3f800000         0x00400000         xrw
*default*        0x00000000         0xffffffff""",
        0x40080000, 0x3FFB0000, 0x3F400020, 0x400D0020,
    ),
    "esp32s3": (
        """\
iram0_0_seg      0x40374000         0x00057700         xr
iram0_2_seg      0x42000020         0x007fffe0         xr
dram0_0_seg      0x3fc88000         0x00053700         rw
drom0_0_seg      0x3c000020         0x01ffffe0         r
extern_ram_seg   0x3c000020         0x01ffffe0         xrw
*default*        0x00000000         0xffffffff""",
        0x40374000, 0x3FC88000, 0x3C000020, 0x42000020,
    ),
}  # fmt: skip
_HEAD = """Archive member included to satisfy reference by file (symbol)

Memory Configuration

Name             Origin             Length             Attributes
{regions}

Linker script and memory map

                0x00000000                        IDF_TARGET_{chip} = 0x0
"""
_OF_MAIN = "esp-idf/main/CMakeFiles/main.dir"
_Piece = tuple[str, int, str]  # name, size, origin


def link(folder: Path, plan: dict, objects: list[Path]) -> None:
    """Write the map. Of a source that is in `main`, the executable's own copy is linked."""
    regions, iram, dram, drom, text = _CHIPS[plan["chip"]]
    # Whatever the order that the sources are planned in.
    last = sorted(objects, key=lambda path: _OF_MAIN in path.as_posix())
    origins = {path.name.split(".")[0]: _origin(folder, path) for path in last}
    tasks = "esp-idf/freertos/libfreertos.a(tasks.c.obj)"
    heap = "esp-idf/heap/libheap.a(multi_heap.c.obj)"
    sections = [
        _section(".iram0.text", iram, [(".iram1.0", 0x4000, tasks)]),
        f".dram0.dummy    {dram:#010x}     0x4000\n *fill*         {dram:#010x}     0x4000 \n",
        _section(".dram0.data", dram + 0x4000, [(".data.pxCurrentTCBs", 0x100, tasks)]),
        _section(
            ".dram0.bss",
            dram + 0x8000,
            [(".bss.heap", 0x8000, heap), *[(f".bss.{n}", 0x40, o) for n, o in origins.items()]],
        ),
        _merged(".flash.rodata", drom, [(".rodata.str1.4", 0x300, tasks), (".rodata", 8, heap)]),
        _section(
            ".flash.text",
            text,
            [
                (".text", 0x40000, tasks),
                *[(f".text.vhttp_{n}", 0x200, o) for n, o in origins.items()],
            ],
        ),
        _section(".debug_info", 0, [(".debug_info", 0x9000, tasks)]),
    ]
    head = _HEAD.format(regions=regions, chip=plan["chip"].upper())
    (folder / "micropython.map").write_text("\n".join([head, *sections]))


def _section(name: str, address: int, pieces: list[_Piece]) -> str:
    """An output section, as ld lists it."""
    size = sum(size for _, size, _ in pieces)
    lines = [f"{name:<15} {address:#010x} {size:#10x}", f" *({name} {name}.*)"]
    for piece, piece_size, origin in pieces:
        lines += [f" {piece}", f"                {address:#010x} {piece_size:#10x} {origin}"]
        address += piece_size
    return "\n".join([*lines, ""])


def _merged(name: str, address: int, pieces: list[_Piece]) -> str:
    """A section whose first piece has taken in a text of the second object, which stays listed."""
    (first, size, _), (_, _, other) = pieces
    texts = _section(name, address, pieces).splitlines()
    lost = [f" {first}", f"                {address + size:#010x}       0x7c {other}"]
    return "\n".join([*texts[:4], *lost, *texts[4:], ""])


def _origin(folder: Path, path: Path) -> str:
    inside = path.relative_to(folder).as_posix()
    return inside.replace(_OF_MAIN, "CMakeFiles/micropython.elf.dir")
