"""Which MicroPython stands, told from its stamp and from its own files."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from viper import micropython_source
from viper.errors import UserError
from viper.micropython_source import Source

HEADER = """\
#define MICROPY_VERSION_MAJOR (1)
#define MICROPY_VERSION_MINOR (27)
#define MICROPY_VERSION_MICRO (0)
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The least that passes for a MicroPython tree."""
    folder = tmp_path / "tree"
    (folder / "py").mkdir(parents=True)
    (folder / "py/mpconfig.h").write_text(HEADER)
    return folder


def _git(tree: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", *identity, *arguments], cwd=tree, check=True, capture_output=True)


def test_a_stamp_is_read_as_it_was_written(tmp_path: Path) -> None:
    source = Source("git", "build/micropython", "v1.27.0", "78ff", 1)
    source.save(tmp_path / "stamp.json")
    assert Source.load(tmp_path / "stamp.json") == source


@pytest.mark.parametrize("text", ["", "{", "[]", '{"kind": "git"}'])
def test_a_stamp_that_cannot_be_read_says_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "stamp.json").write_text(text)
    assert Source.load(tmp_path / "stamp.json") is None


@pytest.mark.parametrize("header", [HEADER, re.sub(r"[()]", "", HEADER)])
def test_own_tree_tells_its_version(tree: Path, header: str) -> None:
    (tree / "py/mpconfig.h").write_text(header)
    assert micropython_source.own(tree).version == "v1.27.0"


def test_own_tree_must_be_micropython(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no py/mpconfig\.h"):
        micropython_source.own(tmp_path)


def test_own_tree_without_git_moves_with_its_files(tree: Path) -> None:
    before = micropython_source.own(tree).commit
    assert micropython_source.own(tree).commit == before
    (tree / "py/new.c").write_text("")
    assert micropython_source.own(tree).commit != before


def test_own_tree_of_git_moves_with_head_and_with_changes(tree: Path) -> None:
    _git(tree, "init")
    _git(tree, "add", ".")
    _git(tree, "commit", "-m", "one")
    states = [micropython_source.own(tree).commit]
    (tree / "py/mpconfig.h").write_text(HEADER + "// mine\n")
    states.append(micropython_source.own(tree).commit)
    (tree / "py/new.c").write_text("int x;")
    states.append(micropython_source.own(tree).commit)
    (tree / "py/new.c").write_text("int y;")
    states.append(micropython_source.own(tree).commit)
    _git(tree, "add", ".")
    _git(tree, "commit", "-m", "two")
    states.append(micropython_source.own(tree).commit)
    assert len(set(states)) == 5
    _git(tree, "commit", "--allow-empty", "-m", "three")
    assert micropython_source.own(tree).commit not in states
