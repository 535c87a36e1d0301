# SPDX-License-Identifier: MIT
"""`./scons bench` when a part of it fails: the rest is measured, and what is missing is named."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from toolkit.options import LOCAL_FILE

from tests.bench import __main__ as bench
from tests.bench.figure import Figure
from tests.project import Project


def good(project: Project) -> list[Figure]:
    return [Figure("what is measured", 1.5, "s")]


def asserts(project: Project) -> list[Figure]:
    raise AssertionError("a long output\nand why it failed\n\n")


def calls(project: Project) -> list[Figure]:
    raise subprocess.CalledProcessError(1, ["program"], stderr=b"first\nno such port\n")


def takes_the_defaults(project: Project) -> list[Figure]:
    assert not project.path(LOCAL_FILE).exists()
    return good(project)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "build").mkdir()

    def copy(built: Path, folder: Path) -> Project:
        folder.mkdir(parents=True)
        (folder / LOCAL_FILE).write_text("HTTP_PORT=8080\n")
        return Project(folder)

    monkeypatch.setattr(bench, "ROOT", tmp_path)
    monkeypatch.setattr(bench, "copy_project", copy)
    return tmp_path


def test_what_is_missing_is_named_and_the_rest_measured(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    topics = {"one": (asserts, good), "two": (calls,), "three": (takes_the_defaults,)}
    monkeypatch.setattr(bench, "TOPICS", topics)
    with pytest.raises(SystemExit) as ended:
        bench.main([])
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert said.err.splitlines()[0] == (
        "error: figures are missing of one, asserts: and why it failed; of two, calls: no such port"
    )
    assert said.out.count("what is measured") == 2
    assert len(json.loads((root / "build/bench.json").read_text())) == 2


def test_a_commit_that_there_is_not(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        bench.main(["--beside", "f00f00f00"])
    assert "BESIDE=f00f00f00: there is no such commit here" in capsys.readouterr().err


def test_a_topic_that_there_is_not(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        bench.main(["grph"])
    assert "did you mean 'graph'?" in capsys.readouterr().err
