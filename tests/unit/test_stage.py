# SPDX-License-Identifier: MIT
"""The stage holds what was read, and is written to only where that differs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from viper.base.contents import Contents
from viper.base.errors import UserError
from viper.firmware import stage
from viper.source.ignored import IgnoreList
from viper.source.tree import Tree, Trees

STAGE = Path("build/stage")


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = Path("module")
    (folder / "core").mkdir(parents=True)
    Path("build").mkdir()
    (folder / "core/a.c").write_text("int a;")
    (folder / "core/b.c").write_text("int b;")
    return folder


def look(contents: Contents) -> Tree:
    ignored = IgnoreList(Path("build/ignored.json"))
    return Trees(contents, ignored).find("module", links_out=True, modes=True)


def sync(tree: Tree | None = None) -> dict[str, str]:
    contents = Contents(Path("build/contents.json"))
    tree = tree or look(contents)
    staged = stage.sync(STAGE, {path: path for path in tree.files}, tree.files, contents)
    contents.keep()
    return staged


def files() -> dict[str, str]:
    return {
        str(path.relative_to(STAGE)): path.read_text()
        for path in STAGE.rglob("*")
        if path.is_file()
    }


def test_it_holds_the_same_content(module: Path) -> None:
    assert sync() == look(Contents(Path("build/contents.json"))).files
    assert files() == {"module/core/a.c": "int a;", "module/core/b.c": "int b;"}


def test_only_what_differs_is_written_and_has_a_new_time(module: Path) -> None:
    sync()
    before = {name: (STAGE / "module/core" / name).stat() for name in ("a.c", "b.c")}
    old = (module / "core/a.c").stat()
    (module / "core/a.c").write_text("int x;")
    os.utime(module / "core/a.c", ns=(old.st_atime_ns, 10**18))  # restored from long ago
    sync()
    assert files()["module/core/a.c"] == "int x;"
    now = {name: (STAGE / "module/core" / name).stat() for name in ("a.c", "b.c")}
    assert now["a.c"].st_mtime_ns > before["a.c"].st_mtime_ns
    assert now["b.c"] == before["b.c"]


def test_a_file_and_a_folder_may_change_places(module: Path) -> None:
    sync()
    (module / "core/a.c").unlink()
    (module / "core/b.c").unlink()
    (module / "core").rmdir()
    (module / "core").write_text("text")
    sync()
    assert files() == {"module/core": "text"}
    (module / "core").unlink()
    (module / "core").mkdir()
    (module / "core/c.c").write_text("int c;")
    sync()
    assert files() == {"module/core/c.c": "int c;"}


def test_what_somebody_did_in_the_stage_is_undone(module: Path) -> None:
    sync()
    (STAGE / "module/core/a.c").write_text("int z;")
    (STAGE / "module/core/more.c").touch()
    sync()
    assert files() == {"module/core/a.c": "int a;", "module/core/b.c": "int b;"}


def test_copies_are_no_links(module: Path) -> None:
    (module / "core/c.c").symlink_to("a.c")
    sync()
    (STAGE / "module/core/c.c").write_text("int z;")
    assert (module / "core/a.c").read_text() == "int a;"
    assert all(path.stat().st_nlink == 1 for path in STAGE.rglob("*.c"))


def test_it_says_what_stands_there_not_what_was_looked_at(module: Path) -> None:
    contents = Contents(Path("build/contents.json"))
    looked = look(contents)
    (module / "core/a.c").write_text("int later;")
    staged = sync(looked)
    assert staged["module/core/a.c"] != looked.files["module/core/a.c"]
    assert files()["module/core/a.c"] == "int later;"
    (module / "core/b.c").unlink()
    (STAGE / "module/core/b.c").unlink()
    with pytest.raises(UserError, match=r"module/core/b\.c has gone while it was read"):
        sync(looked)


def test_what_may_be_run_may_be_run(module: Path) -> None:
    (module / "gen.sh").write_text("exit")
    sync()
    assert not (STAGE / "module/gen.sh").stat().st_mode & 0o100
    (module / "gen.sh").chmod(0o755)
    sync()
    assert (STAGE / "module/gen.sh").stat().st_mode & 0o100
