# SPDX-License-Identifier: MIT
"""What docs/virtual-board.md says of MicroPython's modules is what the firmware has."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from running_board import Board
from site_image import Site
from viper.device.repl import DeviceRepl

DOCS = Path(__file__).parents[2] / "docs/virtual-board.md"
_ASK = b"""
import json
def names(module):
    try:
        return dir(__import__(module))
    except ImportError:
        return None
print(json.dumps({name: names(name) for name in %s}))
"""


@pytest.fixture
def site(tmp_path: Path, parts: dict[int, bytes], built: Path) -> Site:
    return Site(tmp_path, parts, built)


def quoted(text: str) -> list[str]:
    return re.findall(r"`(\w+)`", text)


def test_the_page_lists_what_there_is_and_what_there_is_not(lived_in: Board) -> None:
    page = DOCS.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (.*) \| (.*) \|$", page, re.MULTILINE)
    said = re.search(r"These modules are not there at all: (.*?)\. ", page, re.DOTALL)
    assert rows and said
    absent = quoted(said[1])
    asked = [module for module, _, _ in rows] + absent
    with DeviceRepl(lived_in.url, again="") as repl:
        repl.enter()
        there = json.loads(repl.run(_ASK % repr(asked).encode(), "tell its modules"))
    assert {module: there[module] for module in absent} == dict.fromkeys(absent)
    for module, has, lacks in rows:
        found = {name for name in there[module] if not name.startswith("_")}
        assert found == set(quoted(has)), module
        assert not found & set(quoted(lacks)), module
