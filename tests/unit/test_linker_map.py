"""What a linker map says, read from one that ld wrote, and from ESP-IDF's sections."""

from __future__ import annotations

import subprocess
from pathlib import Path

from viper import linker_map
from viper.linker_map import Piece, Usage

SOURCE = """\
int a_buffer_that_has_a_rather_long_name[1000];
int counter = 3;
int a_function_that_has_a_rather_long_name(int x) { return x + counter; }
int main(void) {
    return a_function_that_has_a_rather_long_name(a_buffer_that_has_a_rather_long_name[0]);
}
"""


def test_what_ld_has_linked_is_read(tmp_path: Path) -> None:
    (tmp_path / "piece.c").write_text(SOURCE)
    for command in (
        "gcc -ffunction-sections -fdata-sections -fno-common -c piece.c",
        "gcc -Wl,-Map=out.map piece.o -o out",
    ):
        subprocess.run(command.split(), cwd=tmp_path, check=True)
    pieces = linker_map.read(tmp_path / "out.map")
    ours = {piece.name: piece for piece in pieces if piece.origin == "piece.o"}
    buffer = ours[".bss.a_buffer_that_has_a_rather_long_name"]
    assert (buffer.output, buffer.size) == (".bss", 4000)
    assert ours[".data.counter"].size == 4
    assert ours[".text.a_function_that_has_a_rather_long_name"].output == ".text"
    assert ours[".text.main"].output == ".text"


def test_memory_is_told_by_section() -> None:
    pieces = [
        Piece(".iram0.text", ".iram1.0", 100, "a.obj"),
        Piece(".dram0.bss", ".bss.x", 20, "a.obj"),
        Piece(".dram0.dummy", "dummy", 5000, "a.obj"),
        Piece(".flash.text", ".text.f", 3000, "a.obj"),
        Piece(".flash.rodata", ".rodata.f", 7, "a.obj"),
        Piece(".debug_info", ".debug_info", 9000, "a.obj"),
    ]
    assert linker_map.usage(pieces) == Usage(internal_ram=120, flash=3007)
