"""micropython.map: where the objects of the executable come from."""

from __future__ import annotations

from pathlib import Path

_HEAD = """Archive member included to satisfy reference by file (symbol)

Memory Configuration

Name             Origin             Length             Attributes
iram0_0_seg      0x40374000         0x00057700         xr
dram0_0_seg      0x3fc88000         0x00053700         rw

Linker script and memory map

"""
_FLASH = 0x42000020
_DRAM = 0x3FC98000


def link(folder: Path, plan: dict, objects: list[Path]) -> None:
    """Write the map. Of a source that is in `main`, the executable's own copy is linked."""
    lines = [_HEAD, ".iram0.text     0x40374404     0x4000"]
    lines += [" .iram1.0       0x40374404     0x4000 esp-idf/freertos/libfreertos.a(tasks.c.obj)"]
    lines += [".dram0.dummy    0x3fc88000    0x10000", ".dram0.bss      0x3fc98000     0x8000"]
    lines += [" .bss.heap      0x3fc98000     0x8000 esp-idf/heap/libheap.a(multi_heap.c.obj)"]
    for index, path in enumerate(objects):
        origin = _origin(folder, path)
        lines += [
            f" .bss.{path.name.split('.')[0]}",
            f"                {_DRAM + index * 64:#010x}       0x40 {origin}",
        ]
    lines += ["", ".flash.text     0x42000020    0x80000"]
    for index, path in enumerate(objects):
        name = path.name.split(".")[0]
        lines += [
            f" .text.vhttp_{name}",
            f"                {_FLASH + index * 512:#010x}      0x200 {_origin(folder, path)}",
        ]
    (folder / "micropython.map").write_text("\n".join(lines) + "\n")


def _origin(folder: Path, path: Path) -> str:
    inside = path.relative_to(folder).as_posix()
    return inside.replace("esp-idf/main/CMakeFiles/main.dir", "CMakeFiles/micropython.elf.dir")
