# SPDX-License-Identifier: MIT
"""What is missing is named before ESP-IDF is started."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from viper.base.errors import UserError
from viper.firmware import esp32_port
from viper.firmware.build_id import Inputs
from viper.firmware.linker_map import Piece
from viper.firmware.toolchain import Toolchain
from viper.source import board
from viper.source.esp_idf import Environment
from viper.source.layout import Layout
from viper.source.micropython_source import Source

BOARDS = Path(__file__).parents[2] / "boards"


def a_port(folder: Path, files: Mapping[str, str] | None = None) -> esp32_port.Port:
    """A firmware to build of some files of ours."""
    return esp32_port.Port(
        idf=Environment("/idf", "v5.5.1", "", "/tools", {}, []),
        inputs=Inputs(
            source=Source("own", "mp", "v1.27.0", "c", 0),
            tree=folder / "tree",
            layout=Layout({}),
            board=BOARDS / "ESP32S3_N16R8",
            modules=Path("m"),
            stage=folder / "stage",
            files=files or {},
            own={},
            settings={},
            toolchain={},
        ),
        compiler=Toolchain("", {}, (), ()),
        folder=folder / "out",
        chip="esp32s3",
    )


@pytest.mark.parametrize(
    ("present", "message", "mend"),
    [
        ([], "ESP-IDF needs cmake", "sudo apt install cmake"),
        (["cmake"], "ESP-IDF needs ninja", "sudo apt install ninja-build"),
        (["cmake", "ninja"], "no compiler for esp32s3", "/idf/install.sh esp32s3"),
    ],
)
def test_what_esp_idf_lacks_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    present: list[str],
    message: str,
    mend: str,
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for program in present:
        (tmp_path / program).touch(mode=0o755)
    port = a_port(tmp_path)
    with pytest.raises(UserError, match=message) as refused:
        esp32_port.configure(port, board.load(BOARDS, "ESP32S3_N16R8"))
    assert refused.value.next_step == mend


def test_a_source_of_ours_that_is_linked_unoptimised_is_named(tmp_path: Path) -> None:
    port = a_port(tmp_path, {"firmware/core/ring.c": "1", "firmware/core/ring.h": "2"})
    twice = "CMakeFiles/micropython.elf.dir/firmware/core"
    fine = [
        Piece(".flash.text", ".text.a", 8, "esp-idf/viperhttp/libviperhttp.a(ring.c.obj)"),
        Piece(".flash.text", ".text.b", 8, "viperhttp.dir/core/ring.c.obj"),
        Piece(".flash.text", ".text.c", 8, f"{twice}/theirs.c.obj"),
        Piece(".flash.text", ".text.d", 8, f"{twice}/ring.h.obj"),
    ]
    esp32_port.check_linked(port, fine)
    with pytest.raises(UserError) as refused:
        esp32_port.check_linked(
            port, [*fine, Piece(".flash.text", ".text.e", 8, f"{twice}/ring.c.obj")]
        )
    assert refused.value.what == f"ring.c is linked unoptimised, from {twice}/ring.c.obj"


def test_the_progress_is_of_the_whole_and_not_of_a_build_within() -> None:
    """The bootloader's, of some hundred steps, starts from 0 again."""
    shown: list[int] = []
    read = esp32_port._percent(shown.append)
    for line in ("[100/1000] one", "[1/400] of within", "[400/400] of within", "[500/1000] two"):
        read(line)
    assert shown == [10, 50]
