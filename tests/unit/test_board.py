# SPDX-License-Identifier: MIT
"""board.toml is read whole, and what is wrong in it is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from viper.base.errors import UserError
from viper.source import board, module_settings

PROJECT = Path(__file__).parents[2]

VALID = """
description = "a board"
chip = "esp32s3"
firmware = "unix"
flash_size = "16MB"
psram_size = "8MB"
partitions = "../table.csv"
fs = "littlefs"
"""


@pytest.fixture
def boards(tmp_path: Path) -> Path:
    """A project's folder of boards with one valid board, MINE."""
    boards = tmp_path / "boards"
    (boards / "MINE").mkdir(parents=True)
    (boards / "table.csv").touch()
    (boards / "MINE" / "board.toml").write_text(VALID)
    settings = tmp_path / module_settings.LIST
    settings.parent.mkdir(parents=True)
    settings.write_text((PROJECT / module_settings.LIST).read_text())
    return boards


def add(boards: Path, text: str) -> None:
    path = boards / "MINE" / "board.toml"
    path.write_text(path.read_text() + text)


def refused(boards: Path, name: str = "MINE") -> str:
    with pytest.raises(UserError) as caught:
        board.load(boards, name)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "firmware"), [("ESP32S3_N16R8", "esp32"), ("VIRTUAL_N16R8", "unix")]
)
def test_the_shipped_boards(name: str, firmware: str) -> None:
    found = board.load(PROJECT / "boards", name)
    assert (found.name, found.chip, found.firmware, found.fs) == (name, "esp32s3", firmware, "fat")
    assert (found.flash_size, found.psram_size) == (16 << 20, 8 << 20)
    assert found.partitions == PROJECT / "boards" / "partitions-16MiBplus.csv"
    assert found.gzip == board.GzipSettings(enabled=True, level=6, min_size=1024)


def test_adding_a_board_is_adding_a_folder(boards: Path) -> None:
    assert board.names(boards) == ["MINE"]
    (boards / "ANOTHER").mkdir()
    (boards / "ANOTHER" / "board.toml").write_text(VALID)
    assert board.names(boards) == ["ANOTHER", "MINE"]
    assert board.load(boards, "ANOTHER").fs == "littlefs"


def test_gzip_has_defaults_and_can_be_set(boards: Path) -> None:
    assert board.load(boards, "MINE").gzip == board.GzipSettings(True, 6, 1024)
    add(boards, "[gzip]\nenabled = false\nlevel = 9\n")
    assert board.load(boards, "MINE").gzip == board.GzipSettings(False, 9, 1024)


def test_settings_of_viperhttp_are_c_macros(boards: Path) -> None:
    add(boards, "[viperhttp]\nVHTTP_MAX_CONNECTIONS = 12\nVHTTP_IDLE_TIMEOUT_MS = 5000\n")
    settings = board.load(boards, "MINE").viperhttp
    assert settings == {"VHTTP_MAX_CONNECTIONS": 12, "VHTTP_IDLE_TIMEOUT_MS": 5000}


def test_an_unknown_board_names_the_nearest_and_all(boards: Path) -> None:
    message = refused(PROJECT / "boards", "virtual_n16r6")
    assert "no board 'virtual_n16r6'; did you mean 'VIRTUAL_N16R8'?" in message
    assert "ESP32S3_N16R8" in message


def test_a_board_is_not_looked_for_elsewhere(boards: Path) -> None:
    assert "no board '../MINE'" in refused(boards / "MINE", "../MINE")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("flash_size", "flsh_size", "unknown key 'flsh_size'; did you mean 'flash_size'?"),
        ('fs = "littlefs"', "", "the key 'fs' is missing"),
        ('"littlefs"', '"ext4"', "'fs' is 'ext4'"),
        ('"littlefs"', "3", "'fs' is 3"),
        ('"16MB"', '"16M"', "'flash_size' is '16M'"),
        ('"16MB"', '"3MB"', "'flash_size' is '3MB'"),
        ('"unix"', '"stm32"', 'it must be "esp32" or "unix"'),
        ("table.csv", "tabel.csv", "no such file"),
        ("chip =", "chip", "not valid TOML"),
    ],
)
def test_a_mistake_is_named(boards: Path, before: str, after: str, expected: str) -> None:
    path = boards / "MINE" / "board.toml"
    path.write_text(VALID.replace(before, after))
    message = refused(boards)
    assert expected in message
    assert str(path) in message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[gzip]\nminsize = 1\n", "unknown key 'gzip.minsize'; did you mean 'min_size'?"),
        ("[gzip]\nlevel = 10\n", "it must be a whole number from 1 to 9"),
        ("[gzip]\nlevel = true\n", "'gzip.level' is True"),
        ("[gzip]\nenabled = 1\n", "it must be true or false"),
        ("gzip = 6\n", "it must be a table: [gzip]"),
        (
            "[viperhttp]\nVHTTP_MAX_CONECTIONS = 1\n",
            "is not a setting of viperhttp; did you mean 'VHTTP_MAX_CONNECTIONS'?",
        ),
        ("[viperhttp]\nVHTTP_CONFIG_H = 1\n", "'viperhttp.VHTTP_CONFIG_H' is not a setting"),
        ("[viperhttp]\nVHTTP_PATH_MAX = 'long'\n", "'viperhttp.VHTTP_PATH_MAX' is 'long'"),
        ("[viperhttp]\nVHTTP_PATH_MAX = 5000\n", "it must be a whole number from 64 to 4096"),
        ("[viperhttp]\nVHTTP_WINDOW_SIZE = 10000\n", "it must be a power of two from 8192"),
        ("[viperhttp]\nVHTTP_STATIC_SERVE_VIA_IPC = 2\n", "it must be true or false"),
        ("[viperhttp]\nVHTTP_STATIC_FS_BASE = 1\n", "it must be a text"),
        ("[viperhttp]\nVHTTP_GZIP_LEVEL = 3\n", "set level there"),
    ],
)
def test_a_mistake_in_a_table_is_named(boards: Path, text: str, expected: str) -> None:
    add(boards, text)
    assert expected in refused(boards)
