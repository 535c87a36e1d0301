# SPDX-License-Identifier: MIT
"""A board's fragments are held against the sdkconfig that came out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from viper.base.errors import UserError
from viper.firmware import sdkconfig
from viper.source import board
from viper.source.board import Board

CAME_OUT = """\
CONFIG_IDF_TARGET="esp32s3"
# CONFIG_FREERTOS_UNICORE is not set
CONFIG_ESPTOOLPY_FLASHSIZE_16MB=y
CONFIG_ESPTOOLPY_FLASHSIZE="16MB"
CONFIG_SPIRAM=y
CONFIG_SPIRAM_MODE_OCT=y
CONFIG_LWIP_MAX_SOCKETS=28
CONFIG_IDF_FIRMWARE_CHIP_ID=0x0009
"""


class Case:
    """A board's folder, and what came out of its fragments."""

    def __init__(self, folder: Path) -> None:
        self.port = folder / "mp/ports/esp32"
        self.board_folder = folder / "boards/B"
        self.sdkconfig = folder / "sdkconfig"
        (self.port / "boards").mkdir(parents=True)
        self.board_folder.mkdir(parents=True)
        self.table = folder / "boards/table.csv"
        self.table.write_text("")
        (self.port / "boards/sdkconfig.base").write_text("CONFIG_UNKNOWN_UPSTREAM=y\n")
        (self.board_folder / "mpconfigboard.cmake").write_text(
            "set(SDKCONFIG_DEFAULTS\n    boards/sdkconfig.base # theirs\n"
            "    ${MICROPY_BOARD_DIR}/sdkconfig.board\n    ${CMAKE_BINARY_DIR}/sdkconfig.made\n)\n"
        )
        self.fragment("CONFIG_LWIP_MAX_SOCKETS=28\n")
        self.came_out(CAME_OUT)
        self.board = Board(
            "B", self.board_folder, "a board", "esp32s3", "esp32", 16 << 20, 8 << 20, self.table,
            "fat", psram_mode="octal",
        )  # fmt: skip

    def fragment(self, text: str) -> None:
        (self.board_folder / "sdkconfig.board").write_text(text)

    def came_out(self, text: str) -> None:
        self.sdkconfig.write_text(f'{text}CONFIG_PARTITION_TABLE_CUSTOM_FILENAME="{self.table}"\n')

    def check(self) -> None:
        sdkconfig.check(self.sdkconfig, self.board, self.board_folder, self.port, self.table)


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def test_what_came_out_as_asked_is_good(case: Case) -> None:
    case.fragment(
        "# a comment\nCONFIG_LWIP_MAX_SOCKETS=28\nCONFIG_FREERTOS_UNICORE=n\n"
        'CONFIG_IDF_TARGET="esp32s3"\nCONFIG_IDF_FIRMWARE_CHIP_ID=0x9\nCONFIG_NOT_THERE=\n'
    )
    case.check()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("CONFIG_FREERTOS_UNICORE is not set", "", None),
        ("# CONFIG_FREERTOS_UNICORE is not set", "CONFIG_FREERTOS_UNICORE=y", "both cores"),
        ('FLASHSIZE="16MB"', 'FLASHSIZE="4MB"', 'flash_size = "16MB"'),
        ("CONFIG_SPIRAM=y", "# CONFIG_SPIRAM is not set", 'psram_size = "8MB"'),
        ("SPIRAM_MODE_OCT", "SPIRAM_MODE_QUAD", 'psram_mode = "octal"'),
        ('"esp32s3"', '"esp32"', 'chip = "esp32s3"'),
    ],
)
def test_what_is_not_the_board_is_refused(
    case: Case, old: str, new: str, message: str | None
) -> None:
    case.came_out(CAME_OUT.replace(old, new))
    if message is None:
        case.check()
        return
    with pytest.raises(UserError) as refused:
        case.check()
    assert message in refused.value.what


def test_another_partition_table_is_refused(case: Case) -> None:
    case.sdkconfig.write_text(
        CAME_OUT + 'CONFIG_PARTITION_TABLE_CUSTOM_FILENAME="partitions-4MiBplus.csv"\n'
    )
    with pytest.raises(UserError, match=r"board\.toml says partitions"):
        case.check()


def test_the_line_that_contradicts_the_board_is_named(case: Case) -> None:
    case.fragment("CONFIG_LWIP_MAX_SOCKETS=28\nCONFIG_FREERTOS_UNICORE=y\n")
    case.came_out(
        CAME_OUT.replace("# CONFIG_FREERTOS_UNICORE is not set", "CONFIG_FREERTOS_UNICORE=y")
    )
    with pytest.raises(UserError, match=r"sdkconfig\.board line 2 sets CONFIG_FREERTOS_UNICORE=y"):
        case.check()


@pytest.mark.parametrize(
    "line",
    [
        "CONFIG_LWIP_MAX_SOCKET=28",  # misspelt
        "CONFIG_LWIP_MAX_SOCKETS=300",  # out of range
        "CONFIG_SPIRAM_TRY_ALLOCATE_WIFI_LWIP=y",  # something that it depends on is off
        "CONFIG_SPIRAM=n",
    ],
)
def test_a_line_that_came_to_nothing_is_named(case: Case, line: str) -> None:
    case.fragment(f"# one\n# two\n{line}\n")
    with pytest.raises(UserError, match=r"sdkconfig\.board line 3: CONFIG_\w+=\w+ came to nothing"):
        case.check()


def test_the_last_of_several_lines_counts(case: Case) -> None:
    case.fragment("CONFIG_LWIP_MAX_SOCKETS=10\nCONFIG_LWIP_MAX_SOCKETS=28\n")
    case.check()


KCONFIG = """\
mainmenu "m"
config FLAG
    bool "f"
    default n
config OTHER_FLAG
    bool "o"
    default y
config NUMBER
    int "n"
    default 5
config TEXT
    string "t"
    default "?"
"""


def as_esp_idf_reads(fragment: Path) -> dict[str, str]:
    """What comes out of a fragment by ESP-IDF's own program."""
    kconfig, made = fragment.with_name("Kconfig"), fragment.with_name("made")
    kconfig.write_text(KCONFIG)
    subprocess.run(
        [
            sys.executable, "-m", "kconfgen", "--kconfig", str(kconfig), "--config", str(made),
            "--defaults", str(fragment), "--output", "config", str(made),
        ],
        check=True,
        capture_output=True,
        env={**os.environ, "TMPDIR": str(fragment.parent)},  # where it leaves files behind
    )  # fmt: skip
    return {setting.name: setting.value for setting in sdkconfig.read(made)}


@pytest.mark.parametrize(
    "line",
    [
        "CONFIG_FLAG=y # why",
        "   CONFIG_FLAG=y",
        "\tCONFIG_NUMBER=28  ",
        "CONFIG_FLAG=yes",
        "CONFIG_OTHER_FLAG=",
        "CONFIG_OTHER_FLAG=n# why",
        "  # CONFIG_OTHER_FLAG is not set, and why",
        'CONFIG_TEXT="a # b" # "why"',
        r'  CONFIG_TEXT="say \"hi\" to C:\\"',
        'CONFIG_TEXT=""',
    ],
)
def test_a_line_is_read_as_esp_idf_reads_it(tmp_path: Path, line: str) -> None:
    fragment = tmp_path / "sdkconfig.board"
    fragment.write_text(f"# one\n{line}\n")
    (setting,) = sdkconfig.read(fragment)
    assert as_esp_idf_reads(fragment)[setting.name] == setting.value
    assert setting.line == 2


@pytest.mark.parametrize("line", ["CONFIG_NUMBER=28 # why", "CONFIG_TEXT=plain", "CONFIG_FLAG=1"])
def test_a_line_that_esp_idf_ignores_is_one_that_came_to_nothing(tmp_path: Path, line: str) -> None:
    fragment = tmp_path / "sdkconfig.board"
    fragment.write_text(f"{line}\n")
    (setting,) = sdkconfig.read(fragment)
    assert as_esp_idf_reads(fragment)[setting.name] != setting.value


@pytest.mark.parametrize(
    "line", ["# CONFIG_FLAG=y", "CONFIG FLAG=y", "#CONFIG_FLAG is not set", ""]
)
def test_other_lines_say_nothing(tmp_path: Path, line: str) -> None:
    fragment = tmp_path / "sdkconfig.board"
    fragment.write_text(f"{line}\n")
    assert sdkconfig.read(fragment) == []
    assert as_esp_idf_reads(fragment)["FLAG"] == "n"


def test_a_fragment_that_is_missing_is_named(case: Case) -> None:
    (case.board_folder / "sdkconfig.board").unlink()
    with pytest.raises(UserError, match=r"lists .*sdkconfig\.board: no such file"):
        case.check()


def test_fragments_elsewhere_are_found_however_they_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("boards/B/own", "boards/shared", "shared/one", "shared/two", "far"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()
    board = Path("boards/B")
    (board / "mpconfigboard.cmake").write_text(
        "set(COMMON ${MICROPY_BOARD_DIR}/../../shared) # where\n"
        "set(SDKCONFIG_DEFAULTS boards/sdkconfig.base ${MICROPY_BOARD_DIR}/own\n"
        '    "${COMMON}/one" ${MICROPY_BOARD_DIR}/../shared ${CMAKE_BINARY_DIR}/made)\n'
        "include(${CMAKE_CURRENT_LIST_DIR}/more.cmake)\n"
    )
    (board / "more.cmake").write_text(
        f"list(APPEND SDKCONFIG_DEFAULTS {tmp_path}/far ${{COMMON}}/two)\n"
        "include(${MICROPY_BOARD_DIR}/more.cmake)\n"
    )
    found = sdkconfig.fragments_elsewhere(board)
    assert sorted(found) == sorted(["shared/one", "shared/two", f"{tmp_path}/far"])
    (board / "more.cmake").write_text(
        "list(APPEND SDKCONFIG_DEFAULTS ${MICROPY_BOARD_DIR}/../../../outside)\n"
    )
    with pytest.raises(UserError, match=r"lists \.\./outside, which is outside of the project"):
        sdkconfig.fragments_elsewhere(board)


def test_octal_psram_is_declared_in_board_toml() -> None:
    boards = Path(__file__).parents[2] / "boards"
    assert board.load(boards, "ESP32S3_N16R8").psram_mode == "octal"
