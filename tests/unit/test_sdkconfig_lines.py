# SPDX-License-Identifier: MIT
"""A board's fragment is read by the kconfgen of the ESP-IDF that is built with."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from viper.source.sdkconfig_lines import Tools

OUTCOME = {"SPIRAM": True, "SOCKETS": 28, "ID": 9, "TARGET": "esp32s3"}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """That of an ESP-IDF whose Python is this one, which has esp-idf-kconfig 2.5."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (folder / "python").chmod(0o755)
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}


def read(text: str, folder: Path, environment: dict[str, str]) -> dict[str, tuple[str, int]]:
    fragment = folder / "sdkconfig.board"
    fragment.write_text(text)
    (folder / "sdkconfig.json").write_text(json.dumps(OUTCOME))
    tools = Tools(environment, "v5.5.1", folder / "sdkconfig.json")
    return {setting.name: (setting.value, setting.line) for setting in tools.read(fragment)}


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("CONFIG_SPIRAM=y", "SPIRAM", "y"),
        ("  CONFIG_SPIRAM=y", "SPIRAM", "y"),
        ("CONFIG_SPIRAM=y # a reason", "SPIRAM", "y"),
        ("# CONFIG_SPIRAM is not set", "SPIRAM", "n"),
        ("CONFIG_SOCKETS=28", "SOCKETS", "28"),
        ("CONFIG_ID=0x9", "ID", "9"),
        ('CONFIG_TARGET="esp32 # s3" # a reason', "TARGET", "esp32 # s3"),
        ("CONFIG_MISSPELT=y", "MISSPELT", "y"),
        # 2.5 takes no number with a comment behind it, and leaves the symbol as it was; what was
        # written stays, to be told of.
        ("CONFIG_SOCKETS=28 # a reason", "SOCKETS", "28 # a reason"),
    ],
)
def test_a_line_means_what_kconfgen_takes_it_for(
    line: str, name: str, value: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    assert read(f"# CONFIG_IN_A_COMMENT=y\n{line}\n", tmp_path, environment) == {name: (value, 2)}


def test_another_kconfgen_is_believed(tmp_path: Path, environment: dict[str, str]) -> None:
    """One that takes numbers with a comment behind them, as 3.14 does."""
    (tmp_path / "bin/python").write_text(
        "#!/bin/sh\n"
        "while [ $# -gt 0 ]; do\n"
        '    [ "$1" = json ] && echo \'{"SOCKETS": 28}\' >"$2"\n'
        "    shift\n"
        "done\n"
    )
    found = read("CONFIG_SOCKETS=28 # a reason\n", tmp_path, environment)
    assert found == {"SOCKETS": ("28", 1)}


def test_without_kconfgen_lines_are_read_here(tmp_path: Path) -> None:
    environment = {**os.environ, "PATH": str(tmp_path)}
    assert read("CONFIG_SPIRAM=y\n", tmp_path, environment) == {"SPIRAM": ("y", 1)}
