# SPDX-License-Identifier: MIT
"""What `./scons size` prints and draws: figures, shares, order, changes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from viper.graph import size_report
from viper.graph.size_report import Place
from viper.source import board

MIB = 1 << 20
BOARD = board.load(Path(__file__).parents[2] / "boards", "ESP32S3_N16R8")
FLASH = [
    Place("bootloader", 0x0, 0x8000, 0x4000),
    Place("partition-table", 0x8000, 0xC00, 0xC00),
    Place("nvs", 0x9000, 0x4000, None),
    Place("factory", 0x10000, 3 * MIB, MIB),
    Place("vfs", 0x310000, 13 * MIB - 0x10000, 0),
]
SVG = "{http://www.w3.org/2000/svg}"


def build(identity: str = "a" * 64, **sizes: Any) -> dict[str, Any]:
    """A kept build; `sizes` in place of some of these."""
    whole = {
        "parts": {"bootloader": 0x4000, "partition-table": 0xC00, "factory": MIB},
        "memory": {"flash": 900_000, "SRAM": 89_536, "PSRAM": 2 * MIB},
        "of": {"SRAM": 358_144, "PSRAM": 8 * MIB},
        "components": {"py": 200_000, "viperhttp/core": 40_000, "lib/tiny": 7},
        "symbols": {"mp_execute_bytecode": 8_123, "small": 12},
    }
    return {"id": identity, "board": "ESP32S3_N16R8", "sizes": {**whole, **sizes}}


def rows(text: list[str], title: str) -> list[str]:
    """The lines of a section."""
    start = text.index(title) + 1
    return text[start : text.index("", start) if "" in text[start:] else len(text)]


def test_the_text_of_a_build() -> None:
    text = size_report.lines(FLASH, build(), None)
    assert text[:2] == ["build aaaaaaaa of ESP32S3_N16R8", ""]
    assert rows(text, "Flash") == [
        "  bootloader            0x0     32 KiB      16 KiB used  50.0 %",
        "  partition-table    0x8000      3 KiB       3 KiB used 100.0 %",
        "  nvs                0x9000     16 KiB",
        "  factory           0x10000      3 MiB       1 MiB used  33.3 %",
        "  vfs              0x310000   12.9 MiB",
    ]
    assert rows(text, "Memory, linked and allocated at the start") == [
        "  PSRAM                              2,097,152  of 8,388,608 (25.0 %)",
        "  SRAM                                  89,536  of 358,144 (25.0 %)",
        "  flash                                900,000",
    ]
    assert rows(text, "Largest components in flash") == [
        "  py                                   200,000",
        "  viperhttp/core                        40,000",
        "  lib/tiny                                   7",
    ]


def test_the_text_of_two_builds() -> None:
    before = build("b" * 64, parts={"bootloader": 0x4000, "factory": MIB - 100},
                   components={"py": 200_010, "gone": 5, "viperhttp/core": 40_000})  # fmt: skip
    text = size_report.lines(FLASH, build(), before)
    assert text[0] == "build aaaaaaaa of ESP32S3_N16R8, compared with bbbbbbbb"
    flash = rows(text, "Flash")
    assert flash[0].endswith(" 50.0 %") and flash[3].endswith(" 33.3 %  +100")
    assert flash[1].endswith("100.0 %  +3,072")  # it was not there
    assert rows(text, "Largest components in flash") == [
        "  py                                   200,000  -10",
        "  viperhttp/core                        40,000",
        "  lib/tiny                                   7  +7",
        "  gone                                       0  -5",
    ]


def test_the_text_names_the_fifteen_largest() -> None:
    components = {f"c{number:02}": 1000 - number for number in range(40)}
    shown = rows(
        size_report.lines(FLASH, build(components=components), None), "Largest components in flash"
    )
    assert [line.split()[0] for line in shown] == [f"c{number:02}" for number in range(15)]


def test_nothing_is_said_of_what_takes_nothing() -> None:
    text = size_report.lines(FLASH, build(components={"empty": 0}, symbols={}), None)
    assert "Largest components in flash" not in text and "Largest symbols in flash" not in text


def test_the_page_has_every_figure() -> None:
    page = size_report.page(FLASH, build(), build("b" * 64, symbols={"small": 10})).decode()
    told = re.sub(r'<i style="width: (.*?)%">', r" \1 ", page)  # the length of a bar
    rows = {
        " ".join(re.sub(r"<.*?>", " ", row).split())
        for row in re.findall(r"<tr>(.*?)</tr>", told, re.DOTALL)
    }
    assert {
        "factory 1,048,576 3,145,728 33.3",
        "bootloader 16,384 32,768 50.0",
        "SRAM 89,536 358,144 25.0",
        "flash 900,000 0",  # nobody said of how much
        "small 12 +2",
        "mp_execute_bytecode 8,123 +8,123",
    } <= rows
    assert page.index("mp_execute_bytecode") < page.index(">small<")
    assert "a" * 64 in page and "b" * 64 in page


def strips() -> list[list[tuple[str, list[float]]]]:
    """Of each strip of the picture, the places by title, with x, width and filled width."""
    groups = ElementTree.fromstring(size_report.picture(FLASH)).findall(f"{SVG}g")
    found: dict[str, list[tuple[str, list[float]]]] = {}
    for group in groups:
        title = group.findtext(f"{SVG}title") or ""
        outer, inner = group.findall(f"{SVG}rect")
        numbers = [float(outer.attrib["x"]), float(outer.attrib["width"])]
        row = found.setdefault(outer.attrib["y"], [])
        row.append((title, [*numbers, float(inner.attrib["width"])]))
    return list(found.values())


def test_the_picture_is_to_scale() -> None:
    whole, beginning = strips()
    assert [title.split()[0] for title, _ in whole] == [place.name for place in FLASH]
    for title, (x, width, filled) in whole:
        place = next(each for each in FLASH if each.name == title.split()[0])
        assert x == pytest.approx(960 * place.offset / (16 * MIB), abs=0.051)
        assert width == pytest.approx(max(1, 960 * place.size / (16 * MIB)), abs=0.051)
        assert filled == pytest.approx(width * (place.used or 0) / place.size, abs=0.06)
    # What is too small to be seen there stands below, as wide as the picture.
    assert [title.split()[0] for title, _ in beginning] == ["bootloader", "partition-table", "nvs"]
    assert beginning[0][1] == [0, 480, 240]
    assert beginning[2][1][:2] == [540, 240]
    assert whole[3][0] == "factory at 0x10000: 3 MiB, 1 MiB used"
    assert whole[2][0] == "nvs at 0x9000: 16 KiB"


def test_the_flash_of_a_board_from_its_beginning_to_its_end() -> None:
    parts = {"bootloader": 19_000, "partition-table": 3072, "factory": MIB, "vfs": 8192}
    places = size_report.places(BOARD, parts)
    assert [place.offset for place in places] == sorted(place.offset for place in places)
    named = {place.name: place for place in places}
    assert named["bootloader"] == Place("bootloader", 0, 0x8000, 19_000)
    assert named["partition-table"] == Place("partition-table", 0x8000, 0xC00, 3072)
    assert named["factory"].used == MIB and named["factory"].offset == 0x10000
    assert named["nvs"].used is None


def test_the_picture_says_what_there_is_room_for() -> None:
    """Over a place its name and share, under it its address, all of it within the picture."""
    picture = ElementTree.fromstring(size_report.picture(FLASH))
    left, top, width, height = map(float, picture.attrib["viewBox"].split())
    said: list[list[str]] = []
    below = 0.0  # where the strip above ends
    for group in picture.findall(f"{SVG}g"):
        outer, inner = group.findall(f"{SVG}rect")
        x, y, wide, high = (float(outer.attrib[name]) for name in ("x", "y", "width", "height"))
        assert [inner.attrib[name] for name in ("x", "y", "height")] == [
            outer.attrib[name] for name in ("x", "y", "height")
        ]
        assert left < x and x + wide < left + width and top < y and y + high < top + height
        texts = group.findall(f"{SVG}text")
        for text in texts:
            at_x, at_y = float(text.attrib["x"]), float(text.attrib["y"])
            if (text.text or "").startswith("0x"):
                assert at_x == x and y + high < at_y < top + height
                below = max(below, at_y) if y < 100 else below
            else:
                assert at_x == pytest.approx(x + wide / 2, abs=0.11) and at_y < y
                assert y < 100 or below < at_y
        said.append([text.text or "" for text in texts])
    assert said == [
        *[[], [], []],  # too narrow in the whole flash, and so drawn again below
        ["factory 33.3 %", "0x10000"],
        ["vfs", "0x310000"],
        ["bootloader 50.0 %", "0x0"],
        [],
        ["nvs", "0x9000"],
    ]
