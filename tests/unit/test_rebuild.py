# SPDX-License-Identifier: MIT
"""What stands beside what a build from nothing makes: counted, and the first difference named."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from viper.base.errors import UserError
from viper.graph import rebuild

OUTPUTS = {
    "firmware/core/ring.o": b"object",
    "firmware/esp-idf/main.c.obj": b"object of cmake",
    "firmware/micropython": b"executable",
    "firmware/genhdr/qstr.h": b"no output that is compared",
    "flash.bin": b"0123456789",
    "www/app.js.gz": b"gzip",
}


@pytest.fixture
def builds(tmp_path: Path) -> tuple[Path, Path]:
    stands, again = tmp_path / "stands", tmp_path / "again"
    for name, content in OUTPUTS.items():
        file = stands / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    shutil.copytree(stands, again)
    return stands, again


def test_the_same_is_counted(builds: tuple[Path, Path]) -> None:
    assert rebuild.compare(*builds) == (2, 3)
    (builds[1] / "firmware/genhdr/qstr.h").write_bytes(b"else")
    assert rebuild.compare(*builds) == (2, 3)


@pytest.mark.parametrize(
    ("name", "content", "where"),
    [
        ("flash.bin", b"0123x56789", ", byte 4,"),
        ("flash.bin", b"01234", ", byte 5,"),
        ("firmware/core/ring.o", b"Object", ", byte 0,"),
        ("firmware/micropython", b"executablE", ", byte 9,"),
        ("www/app.js.gz", None, ""),
        ("more.img", b"new", ""),
    ],
)
def test_what_differs_is_named_with_its_place(
    builds: tuple[Path, Path], name: str, content: bytes | None, where: str
) -> None:
    stands, again = builds
    if content is None:
        (again / name).unlink()
    else:
        (again / name).write_bytes(content)
    with pytest.raises(UserError) as caught:
        rebuild.compare(stands, again)
    assert caught.value.what == f"{stands / name}{where} is not what a build from nothing makes"
    assert str(again / name) in caught.value.next_step


def test_an_object_is_named_before_the_image_that_it_is_in(builds: tuple[Path, Path]) -> None:
    for name in ("flash.bin", "firmware/micropython", "firmware/core/ring.o"):
        (builds[1] / name).write_bytes(b"else")
    with pytest.raises(UserError, match=r"ring\.o"):
        rebuild.compare(*builds)
