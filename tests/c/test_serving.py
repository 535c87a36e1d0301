# SPDX-License-Identifier: MIT
"""The whole server of core/ and port/posix, under load, with the sanitizers watching."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import c_program
import pytest
from c_program import MODULE, SANITIZERS, THREAD_SANITIZER
from viper.source.module_settings import Value

HERE = Path(__file__).parent


def build(
    folder: Path, name: str, flags: list[str], settings: Mapping[str, Value] | None = None
) -> Path:
    """The program `name` of this folder with the whole server in it."""
    sources = [
        HERE / f"{name}.c",
        HERE / "served.c",
        *sorted(MODULE.glob("core/*.c")),
        *sorted(MODULE.glob("port/posix*.c")),
    ]
    return c_program.build(folder, sources, flags, settings)


def serve_under_load(
    folder: Path, flags: list[str], seconds: int, settings: Mapping[str, Value] | None = None
) -> None:
    program = build(folder, "test_serving", flags, settings)
    served = folder / "served"
    served.mkdir()
    done = subprocess.run(
        [program, served, str(seconds)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert done.returncode == 0, done.stdout[-4000:]


def test_under_thread_sanitizer(tmp_path: Path) -> None:
    serve_under_load(tmp_path, THREAD_SANITIZER, 5)


@pytest.mark.long
def test_ten_minutes_under_thread_sanitizer(tmp_path: Path) -> None:
    serve_under_load(tmp_path, THREAD_SANITIZER, 600)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"VHTTP_STATIC_SERVE_VIA_IPC": False},
        # A cache that is always too small, and rings that are always full.
        {"VHTTP_CACHE_SIZE_PSRAM": 65536, "VHTTP_IPC_RINGBUF_SIZE_PSRAM": 16384},
        {"VHTTP_CACHE_SIZE_PSRAM": 0, "VHTTP_MAX_CONNECTIONS": 4},
    ],
    ids=["usual", "without the interpreter", "little memory", "no cache"],
)
def test_under_address_and_undefined_sanitizers(
    tmp_path: Path, settings: Mapping[str, Value]
) -> None:
    serve_under_load(tmp_path, SANITIZERS, 2, settings)
