# SPDX-License-Identifier: MIT
"""What is built from nothing, and what stands beside that: counted, the first difference named."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from viper.base.errors import UserError
from viper.graph import rebuild

BOARD = Path("build/BOARD")
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
        file = stands / BOARD / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    shutil.copytree(stands, again)
    return stands, again


def test_the_same_is_counted(builds: tuple[Path, Path]) -> None:
    assert rebuild.compare(*builds, BOARD) == (2, 3)
    (builds[1] / BOARD / "firmware/genhdr/qstr.h").write_bytes(b"else")
    assert rebuild.compare(*builds, BOARD) == (2, 3)


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
        (again / BOARD / name).unlink()
    else:
        (again / BOARD / name).write_bytes(content)
    with pytest.raises(UserError) as caught:
        rebuild.compare(stands, again, BOARD)
    assert (
        caught.value.what
        == f"{stands / BOARD / name}{where} is not what a build from nothing makes"
    )
    assert str(again / BOARD / name) in caught.value.next_step


def test_an_object_is_named_before_the_image_that_it_is_in(builds: tuple[Path, Path]) -> None:
    for name in ("flash.bin", "firmware/micropython", "firmware/core/ring.o"):
        (builds[1] / BOARD / name).write_bytes(b"else")
    with pytest.raises(UserError, match=r"ring\.o"):
        rebuild.compare(*builds, BOARD)


def test_an_object_may_be_called_by_where_its_source_is(builds: tuple[Path, Path]) -> None:
    """As cmake calls those of sources outside of its folder: by their absolute paths."""
    for project in builds:
        source = f"{project.absolute()}/{BOARD}/stage/ring.c.obj"
        file = Path(f"{project / BOARD}/firmware/viperhttp.dir{source}")
        file.parent.mkdir(parents=True)
        file.write_bytes(b"object")
    assert rebuild.compare(*builds, BOARD) == (3, 3)
    file.write_bytes(b"Object")
    with pytest.raises(UserError, match=r"ring\.c\.obj, byte 0"):
        rebuild.compare(*builds, BOARD)


def test_what_a_build_reads_is_brought(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Links are followed, from where they stand; a link to nothing was read by nobody."""
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    files = ("SConstruct", "modules/one/one.c", "app/main.py", "app/__pycache__/main.pyc",
             "elsewhere/sdkconfig.more", "linked/two.c", "build/BOARD/app.bin")  # fmt: skip
    for name in files:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(name)
    (tmp_path / "outside.h").write_text("outside")
    Path("modules/two").symlink_to("../linked")
    Path("modules/one/outside.h").symlink_to(tmp_path / "outside.h")
    Path("app/.#main.py").symlink_to("user@host.1")
    looked_at = ["modules", "app", "modules/one", "elsewhere/sdkconfig.more", "/etc/hostname"]

    again = Path("build/check")
    rebuild.bring(again, looked_at)
    brought = {path.relative_to(again) for path in again.rglob("*") if path.is_file()}
    assert brought == {
        Path("SConstruct"), Path("modules/one/one.c"), Path("modules/one/outside.h"),
        Path("modules/two/two.c"), Path("app/main.py"), Path("elsewhere/sdkconfig.more"),
    }  # fmt: skip
    assert not any(path.is_symlink() for path in again.rglob("*"))
