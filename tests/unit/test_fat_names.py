# SPDX-License-Identifier: MIT
"""Names that FAT cannot hold are refused by name; all others come back as they were."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from viper.base.errors import UserError
from viper.image import fat_names


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("img/a:b.png", "has ':'"),
        ("what?.html", "has '?'"),
        ("a\\b", r"has '\\\\'"),
        ("tab\there", r"has '\\t'"),
        ("dot.", "ends with a dot or a space"),
        ("folder /x.txt", "ends with a dot or a space"),
        ("a/../b", "ends with a dot"),
        ("a//b", "is no name"),
        ("n" * 256, "is longer than 255 bytes"),
        ("é" * 128, "is longer than 255 bytes"),
        ("bad\udcff", "is not valid UTF-8"),
    ],
)
def test_a_name_that_fat_cannot_hold(path: str, reason: str) -> None:
    with pytest.raises(UserError) as caught:
        fat_names.check(["fine.txt", path])
    shown = "".join(c if c.isprintable() else "?" for c in path)
    assert caught.value.what.startswith(f"{shown}: FAT cannot hold")
    assert "\n" not in caught.value.what
    assert reason.replace("\\\\", "\\") in caught.value.what
    assert caught.value.next_step == "rename it"


@pytest.mark.parametrize(
    "names",
    [
        ["logo.png", "Logo.PNG"],
        ["img/a.png", "IMG/b.png"],
        ["docs", "Docs/index.html"],
        ["Á.txt", "Ú.txt"],  # C3 81 and C3 9A: code page 437 takes 81 for ü and 9A for Ü
    ],
)
def test_names_that_differ_in_case_only(names: list[str]) -> None:
    with pytest.raises(UserError, match="FAT cannot tell"):
        fat_names.check(names)


def test_names_that_fat_holds() -> None:
    fat_names.check(["a b.txt", ".hidden", "n" * 255, "über/größe.html", "über/été", "x.tar.gz"])


@given(st.text(min_size=1).filter(lambda name: name.isprintable()))
def test_every_stored_name_is_read_back(name: str) -> None:
    assert fat_names.stored(name).encode("cp437").decode() == name
