# SPDX-License-Identifier: MIT
"""What is missing is named before ESP-IDF is started."""

from __future__ import annotations

from pathlib import Path

import pytest
from viper.base.errors import UserError
from viper.firmware import esp32_port
from viper.firmware.build_id import Inputs
from viper.firmware.toolchain import Toolchain
from viper.source import board
from viper.source.esp_idf import Environment
from viper.source.micropython_source import Source

BOARDS = Path(__file__).parents[2] / "boards"


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
    source = Source("own", "mp", "v1.27.0", "c", 0)
    port = esp32_port.Port(
        idf=Environment("/idf", "v5.5.1", "", "/tools", {}, []),
        inputs=Inputs(
            source=source,
            tree=tmp_path / "tree",
            board=BOARDS / "ESP32S3_N16R8",
            modules=Path("m"),
            stage=tmp_path / "stage",
            files={},
            own={},
            settings={},
            toolchain={},
        ),
        compiler=Toolchain("", {}, (), ()),
        folder=tmp_path / "out",
        chip="esp32s3",
    )
    with pytest.raises(UserError, match=message) as refused:
        esp32_port.configure(port, board.load(BOARDS, "ESP32S3_N16R8"))
    assert refused.value.next_step == mend
