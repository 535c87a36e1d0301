# SPDX-License-Identifier: MIT
"""Which MicroPython stands, told from its stamp and from its own files."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from viper.base.contents import Contents
from viper.base.errors import UserError
from viper.source import debian, micropython_source, pins
from viper.source.micropython_source import Source
from viper.source.pins import Pins, Submodule

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


def _own(tree: Path) -> Source:
    return micropython_source.own(tree, "unix", Contents(Path("contents.json")))


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
    assert _own(tree).version == "v1.27.0"


def test_own_tree_must_be_micropython(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no py/mpconfig\.h"):
        _own(tmp_path)


def test_own_tree_without_git_moves_with_its_files(tree: Path) -> None:
    before = _own(tree).commit
    assert _own(tree).commit == before
    (tree / "py/new.c").write_text("")
    assert _own(tree).commit != before


def test_own_tree_of_git_moves_with_head_and_with_changes(tree: Path) -> None:
    _git(tree, "init")
    _git(tree, "add", ".")
    _git(tree, "commit", "-m", "one")
    states = [_own(tree).commit]
    (tree / "py/mpconfig.h").write_text(HEADER + "// mine\n")
    states.append(_own(tree).commit)
    (tree / "py/new.c").write_text("int x;")
    states.append(_own(tree).commit)
    (tree / "py/new.c").write_text("int y;")
    states.append(_own(tree).commit)
    _git(tree, "add", ".")
    _git(tree, "commit", "-m", "two")
    states.append(_own(tree).commit)
    assert len(set(states)) == 5
    _git(tree, "commit", "--allow-empty", "-m", "three")
    assert _own(tree).commit not in states


@pytest.mark.parametrize("name", ["lib/library/new.c", "py/ignored.c", "py/mpconfig.h"])
def test_own_tree_moves_whatever_git_is_told_to_overlook(tree: Path, name: str) -> None:
    """A submodule that is dirty already, an ignored file, one that git takes for unchanged."""
    library = tree / "lib/library"
    library.mkdir(parents=True)
    for folder in (library, tree):
        _git(folder, "init")
        (folder / "README.md").touch()
        _git(folder, "add", ".")
        _git(folder, "commit", "-m", "one")
    (tree / ".git/info/exclude").write_text("ignored.c\n")
    _git(tree, "config", "status.showUntrackedFiles", "no")
    _git(tree, "config", "diff.ignoreSubmodules", "all")
    _git(tree, "update-index", "--assume-unchanged", "py/mpconfig.h")
    states = []
    for text in ("", "int x;", "int y;"):
        (tree / name).write_text(HEADER + text)
        states.append(_own(tree).commit)
    assert len(set(states)) == 3


@pytest.fixture
def pinned(tmp_path: Path) -> Pins:
    """Pins of a checkout in `tmp_path/checkout` and of its one submodule, a repository beside."""
    library, checkout = tmp_path / "library", tmp_path / "checkout"
    for folder in (library, checkout):
        folder.mkdir()
        _git(folder, "init", "--quiet")
    (library / "README.md").touch()
    _git(library, "add", "--all")
    _git(library, "commit", "--quiet", "--message=library")
    allowed = ("-c", "protocol.file.allow=always")
    _git(checkout, *allowed, "submodule", "add", "--quiet", str(library), "lib/library")
    _git(checkout, "commit", "--quiet", "--message=checkout")
    commit = _head(library)
    ours = pins.load(Path(__file__).parents[2] / "nix/pins.json")
    submodules = (Submodule("lib/library", str(library), commit),)
    return replace(ours, micropython=replace(ours.micropython, submodules=submodules))


def _head(tree: Path) -> str:
    shown = subprocess.run(["git", "rev-parse", "HEAD"], cwd=tree, capture_output=True, text=True)
    return shown.stdout.strip()


def test_submodules_are_fetched_beside_the_checkout_once(pinned: Pins, tmp_path: Path) -> None:
    folder = tmp_path / "submodules"
    micropython_source.ensure_submodules(tmp_path / "checkout", folder, pinned)
    assert (folder / "lib/library/README.md").exists()
    (tmp_path / "library").rename(tmp_path / "away")
    micropython_source.ensure_submodules(tmp_path / "checkout", folder, pinned)


def test_a_submodule_that_cannot_be_fetched_is_named(pinned: Pins, tmp_path: Path) -> None:
    (tmp_path / "library").rename(tmp_path / "away")
    with pytest.raises(UserError, match=r"MicroPython's lib/library: git: "):
        micropython_source.ensure_submodules(tmp_path / "checkout", tmp_path / "new", pinned)


def test_a_pin_that_is_not_the_checkouts_is_refused(pinned: Pins, tmp_path: Path) -> None:
    other = replace(pinned.micropython.submodules[0], commit="0" * 40)
    wrong = replace(pinned, micropython=replace(pinned.micropython, submodules=(other,)))
    with pytest.raises(UserError, match="the pin is 0000000000"):
        micropython_source.ensure_submodules(tmp_path / "checkout", tmp_path / "new", wrong)


def test_a_stand_in_stands_and_nothing_is_fetched_until_git_is_asked_again(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = pins.load(Path(__file__).parents[2] / "nix/pins.json")
    stamp = tmp_path / "stamp.json"
    fetched: list[Path] = []

    def fetch(fresh: Path, wanted: Source, *_: object) -> Source:
        fetched.append(fresh)
        fresh.mkdir()
        return wanted

    def stands(again: bool = False) -> str:
        return micropython_source.ensure(
            tree, stamp, ours, url="https://unreachable.example", stand_in=True, again=again
        ).kind

    monkeypatch.setattr(micropython_source, "_fetched", fetch)
    micropython_source._stand_in(tree, ours).save(stamp)
    assert stands() == "debian" and not fetched
    assert stands(again=True) == "git" and len(fetched) == 1


def test_what_stands_in_says_why_git_could_not_be_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    ours = pins.load(Path(__file__).parents[2] / "nix/pins.json")
    monkeypatch.setattr(debian, "fetch", lambda _, fresh: fresh.mkdir())
    nowhere = str(tmp_path / "nowhere")
    where = (tmp_path / "tree", tmp_path / "stamp.json")
    source = micropython_source.ensure(*where, ours, url=nowhere, stand_in=True, again=False)
    assert source.kind == "debian"
    assert f"MicroPython {ours.micropython.version}: git: {nowhere}: " in capfd.readouterr().out
