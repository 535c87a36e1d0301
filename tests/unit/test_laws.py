# SPDX-License-Identifier: MIT
"""The laws of docs/design.md that the library's folders can show, each with what breaks it."""

from __future__ import annotations

from pathlib import Path

import house
import pytest
from viper.graph import outline, page

OURS = house.House(house.LIBRARY)
SAYS = '"""What it is for.\n\nMay use: {}.\n"""\n'


def broken(folder: Path, **files: str) -> list[str]:
    """What is broken in a library of two wings, `low` and `high`, and these files besides."""
    whole = {
        "__init__": '"""A library."""\n',
        "low/__init__": SAYS.format("none"),
        "low/a": "import os\n",
        "low/b": "from lib.low import a\n",
        "high/__init__": SAYS.format("low"),
        "high/c": "def f():\n    from lib.low.b import name\n",
        **files,
    }
    for name, text in whole.items():
        path = folder / "lib" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return house.broken_laws(house.House(folder / "lib"))


def test_they_hold() -> None:
    assert house.broken_laws(OURS) == []


def test_a_library_that_keeps_them_has_none_broken(tmp_path: Path) -> None:
    assert broken(tmp_path) == []


@pytest.mark.parametrize(
    ("files", "law"),
    [
        ({"low/a": "from SCons.Script import AddOption\n"}, "lib.low.a imports SCons"),
        ({"low/a": "def f():\n    import SCons\n"}, "lib.low.a imports SCons"),
        ({"low/a": "from lib.high import c\n"}, "low uses high"),
        ({"low/a": "def f():\n    from lib.high.c import f\n"}, "low uses high"),
        ({"low/a": "from lib.low import b\n"}, "a circle: lib.low.a → lib.low.b → lib.low.a"),
        ({"low/__init__": '"""No more."""\n'}, "low does not say which wings it may use"),
        (
            {"low/__init__": SAYS.format("none") + "from lib.low.a import os\n"},
            "lib.low is a package with code in it",
        ),
        ({f"high/m{number}": "" for number in range(18)}, "high has 19 modules"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_breaks_one_is_found(tmp_path: Path, files: dict[str, str], law: str) -> None:
    assert law in broken(tmp_path, **files)


def test_what_is_in_a_folder_below_a_wing_belongs_to_the_wing(tmp_path: Path) -> None:
    files = {"low/deep/__init__": '"""Parts of it."""\n', "low/deep/d": "from lib.high import c\n"}
    assert "low uses high" in broken(tmp_path, **files)


def test_the_drawing_in_the_design_is_that_of_the_house() -> None:
    shown = outline.shape((house.ROOT / "docs/house.svg").read_text())
    assert shown == outline.shape(page.svg(house.drawing(OURS))), (
        "draw it anew: .venv/bin/python tests/house.py >docs/house.svg"
    )
