# SPDX-License-Identifier: MIT
"""A panic on the console gets the source lines of its backtrace."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from viper.device.backtrace import Decoder, Executable

TOOLS = Path(__file__).parents[1] / "doubles/esp_idf"
PANIC = (
    b"Guru Meditation Error: Core  0 panic'ed (LoadProhibited). Exception was unhandled.\r\n"
    b"\r\nBacktrace: 0x42003c1a:0x3fcebe90 0x4200a0f3:0x3fcebeb0 |<-CORRUPTED\r\n\r\n"
)
DECODED = [
    "0x42003c1a: vhttp_route at /p/core/route.c:58",
    " (inlined by) vhttp_match at /p/core/router.c:31",
    "0x4200a0f3: server_task at /p/port/esp32.c:120 (discriminator 2)",
]


@pytest.fixture
def executable(tmp_path: Path) -> Executable:
    elf, description = tmp_path / "app.elf", tmp_path / "project_description.json"
    elf.write_bytes(b"with symbols")
    description.write_text(json.dumps({"c_compiler": str(TOOLS / "xtensa-esp32s3-elf-gcc")}))
    return Executable(elf, description)


def elf_line(executable: Executable) -> bytes:
    return (
        f"ELF file SHA256: {hashlib.sha256(executable.elf.read_bytes()).hexdigest()[:9]}".encode()
    )


@pytest.mark.parametrize("piece", [1, 7, 4096])
def test_addresses_are_decoded_however_the_output_is_cut(
    executable: Executable, piece: int
) -> None:
    decoder = Decoder(executable)
    output = PANIC + elf_line(executable) + b"\r\n\r\nRebooting...\r\n"
    shown = [
        line
        for at in range(0, len(output), piece)
        for line in decoder.feed(output[at : at + piece])
    ]
    assert shown == DECODED


def test_another_build_is_told(executable: Executable) -> None:
    shown = Decoder(executable).feed(PANIC + b"ELF file SHA256: 0123456789abcdef\r\n")
    assert shown[:-1] == DECODED
    assert "another build (0123456789abcdef)" in shown[-1]


def test_output_without_a_panic_is_left_alone(executable: Executable) -> None:
    decoder = Decoder(executable)
    assert decoder.feed(b"Backtrace: none\r\n" + elf_line(executable) + b"\r\n") == []
    assert decoder.feed(b"x" * 100_000) == []
    assert len(decoder._line) <= 4096


@pytest.mark.parametrize(("lost", "reason"), [("description", "no build"), ("tools", "is gone")])
def test_what_cannot_be_decoded_says_why(executable: Executable, lost: str, reason: str) -> None:
    if lost == "description":
        executable.description.unlink()
    else:
        executable.description.write_text('{"c_compiler": "/nowhere/xtensa-esp32s3-elf-gcc"}')
    (line,) = Decoder(executable).feed(PANIC)
    assert "not decoded" in line and reason in line
