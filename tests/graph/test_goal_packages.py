# SPDX-License-Identifier: MIT
"""A goal's own packages come when it is named, into the environment that runs the graph."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from project import ROOT, Project


class FirstEnvironment(Project):
    """A project whose environment is as ./scons makes it: only what is in base.txt counts as there.

    All packages of the environment that runs the tests can be imported in it, so that pip finds
    nothing left to download.
    """

    def __init__(self, project: Project, folder: Path) -> None:
        super().__init__(project.folder)
        self._python = folder / "bin/python"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        (packages,) = folder.glob("lib/*/site-packages")
        (packages / "all.pth").write_text(sysconfig.get_path("purelib"))
        self.installed = folder / "requirements"
        self.installed.mkdir()
        (self.installed / "base.txt").write_bytes((ROOT / "requirements/base.txt").read_bytes())

    def command(self, *arguments: str) -> list[str]:
        return [str(self._python), "-m", "SCons", "-Q", *arguments]

    def locks(self) -> set[str]:
        return {path.stem for path in self.installed.iterdir()}


@pytest.fixture
def first(project: Project, tmp_path: Path) -> FirstEnvironment:
    return FirstEnvironment(project, tmp_path / "an environment")


def test_a_build_and_a_device_need_no_more(first: FirstEnvironment) -> None:
    first.scons("image", "ports", "backup", "sync", "ota", "-n")
    first.scons("image")
    first.scons("ports")
    assert first.locks() == {"base"}


def test_measuring_installs_its_own_once(first: FirstEnvironment) -> None:
    nowhere = ("perf", "HOST=127.0.0.1:9")
    assert "PYTHON   .venv" in first.scons(*nowhere, status=2).output
    assert first.locks() == {"base", "perf"}
    assert "PYTHON   .venv" not in first.scons(*nowhere, status=2).output


def test_a_question_installs_nothing(first: FirstEnvironment) -> None:
    first.scons("why=test")
    first.scons("-n", "test")
    assert first.locks() == {"base"}
