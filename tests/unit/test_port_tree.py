# SPDX-License-Identifier: MIT
"""The copy that ESP-IDF builds in is the same as its sources, and never writes to them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from viper.base.contents import Contents
from viper.firmware import port_tree


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    for name in (
        "py/obj.c", "ports/esp32/main.c", "ports/esp32/lockfiles/lock", "ports/unix/main.c",
        "tests/basics.py", ".git/HEAD", "ports/esp32/build-X/old.o",
    ):  # fmt: skip
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return folder


def _sync(parts: dict[str, Path], tree: Path) -> None:
    port_tree.sync(parts, tree, "esp32", Contents(tree.with_name("contents.json")))


def _files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_what_a_build_reads_is_copied(source: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    _sync({"": source}, tree)
    assert _files(tree) == {"py/obj.c", "ports/esp32/main.c", "ports/esp32/lockfiles/lock"}


def test_submodules_come_from_their_own_folders(source: Path, tmp_path: Path) -> None:
    library = tmp_path / "library"
    library.mkdir()
    (library / "README.md").write_text("")
    tree = tmp_path / "tree"
    _sync({"": source, "lib/micropython-lib": library}, tree)
    assert (tree / "lib/micropython-lib/README.md").exists()


def test_links_are_followed(source: Path, tmp_path: Path) -> None:
    library = tmp_path / "library"
    (library / "tests").mkdir(parents=True)
    (library / "tests/known.h").write_text("")
    (source / "lib").mkdir()
    (source / "lib/linked").symlink_to(library)
    (source / "lib/again").symlink_to(source)
    (library / "again").symlink_to(library)
    tree = tmp_path / "tree"
    _sync({"": source}, tree)
    assert (tree / "lib/linked/tests/known.h").exists()
    assert not (tree / "lib/again").exists() and not (tree / "lib/linked/again").exists()


def test_only_what_differs_is_written(source: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    _sync({"": source}, tree)
    before = (tree / "py/obj.c").stat().st_ino
    (source / "ports/esp32/main.c").write_text("edited")
    _sync({"": source}, tree)
    assert (tree / "py/obj.c").stat().st_ino == before
    assert (tree / "ports/esp32/main.c").read_text() == "edited"


def test_what_is_gone_goes_and_what_was_fetched_stays(source: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    _sync({"": source}, tree)
    component = tree / "ports/esp32/managed_components/espressif__mdns/mdns.c"
    component.parent.mkdir(parents=True)
    component.write_text("")
    (source / "py/obj.c").unlink()
    _sync({"": source}, tree)
    assert component.exists() and not (tree / "py/obj.c").exists()


def test_what_the_build_rewrites_is_put_back_and_the_source_is_not_touched(
    source: Path, tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    _sync({"": source}, tree)
    (tree / "ports/esp32/lockfiles/lock").write_text("rewritten")
    assert (source / "ports/esp32/lockfiles/lock").read_text() == "ports/esp32/lockfiles/lock"
    _sync({"": source}, tree)
    assert (tree / "ports/esp32/lockfiles/lock").read_text() == "ports/esp32/lockfiles/lock"


def test_a_copy_that_was_cut_off_is_made_again(source: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "py").mkdir(parents=True)
    (tree / "py/obj.c").write_text("py/ob\0")  # as long as the source, but of its own time
    os.utime(tree / "py/obj.c", (1, 1))
    _sync({"": source}, tree)
    assert (tree / "py/obj.c").read_text() == "py/obj.c"
