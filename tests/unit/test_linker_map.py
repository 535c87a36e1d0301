# SPDX-License-Identifier: MIT
"""What a linker map says, read from one that ld wrote, and from one of an ESP32-S3's shape."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from project import ROOT
from viper.firmware import linker_map
from viper.firmware.linker_map import Piece, Usage
from viper.firmware.module_memory import ModuleMemory
from viper.graph import sizes

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
        Piece(".flash.text", ".text.f", 3000, "a.obj"),
        Piece(".flash.rodata", ".rodata.f", 7, "a.obj"),
        Piece(".ext_ram.bss", ".bss.y", 5, "a.obj"),
    ]
    assert linker_map.usage(pieces) == Usage(flash=3107, sram=120, psram=5)


def test_a_modules_share_has_no_strings_of_others() -> None:
    """ld names the first object that has some, whose the others are not."""
    file = "esp-idf/main/libmain.a(byte_range.c.obj)"
    ours = f"viperhttp/core/{file}"
    pieces = [
        Piece(".flash.rodata", ".rodata.str1.4", 124_857, ours),
        Piece(".flash.rodata", ".rodata.table", 57, ours),
        Piece(".flash.text", ".text.vhttp_byte_range", 400, ours),
        Piece(".flash.text", ".text.other", 9, file),
    ]
    assert linker_map.usage(linker_map.of_module(pieces, "viperhttp")).flash == 457


@pytest.fixture(params=["esp32", "esp32s3"])
def chip_map(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A map of a chip, as the double of ESP-IDF links it."""
    program = (
        "import sys; from pathlib import Path; from idf_double import linker;"
        "linker.link(Path(sys.argv[1]), {'chip': sys.argv[2]}, [Path(sys.argv[1], 'server.c.obj')])"
    )
    subprocess.run(
        [sys.executable, "-c", program, str(tmp_path), request.param],
        env={"PYTHONPATH": str(ROOT / "tests/doubles/idf/tools")},
        check=True,
    )
    return tmp_path / "micropython.map"


def test_a_chips_map_is_told_as_esp_idf_size_tells_it(chip_map: Path) -> None:
    from esp_idf_size import memorymap

    told = memorymap.get(str(chip_map), load_symbols=False)
    sram = [told["memory_types"].get(name, {}).get("used", 0) for name in ("IRAM", "DRAM", "DIRAM")]
    usage = linker_map.usage(linker_map.read(chip_map))
    assert usage.sram == sum(sram) == 0x4000 + 0x100 + 0x8000 + 0x40
    # A text that was merged into another one counts once.
    assert usage.flash == told["image_size"] == 0x4000 + 0x100 + 0x308 + 0x40200


def test_what_a_server_takes_is_told_of_how_much_there_is(chip_map: Path) -> None:
    server = ModuleMemory(internal=10_000, psram=2_000_000, sram=50_000)
    told = sizes.linked(chip_map, server, psram_size=8 << 20)
    assert told["memory"]["SRAM of the server"] == 10_000
    assert told["memory"]["PSRAM of the server"] == 2_000_000
    assert told["of"]["PSRAM of the server"] == 8 << 20
    assert 300_000 < told["of"]["SRAM"] < 400_000
    without = sizes.linked(chip_map, server, psram_size=0)
    assert without["memory"]["SRAM of the server"] == 60_000
    assert not any("PSRAM" in name for name in without["memory"])
    assert told["components"]["string literals"] == 0x300
    assert sum(told["components"].values()) == told["memory"]["flash"]


def test_what_is_no_map_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cut.map").write_text("Archive member included\n")
    with pytest.raises(ValueError, match="cut"):
        linker_map.read(tmp_path / "cut.map")
