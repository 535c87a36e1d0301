# SPDX-License-Identifier: MIT
"""Every `$` line of the documentation, typed: each page by a newcomer with a fresh clone."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import computer
import pages
import pytest
from project import ROOT, copy_project

_NEWCOMER = (sys.executable, str(ROOT / "tests/docs/newcomer.py"))


def run(*command: str) -> None:
    done = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'site_scons'}{os.pathsep}{ROOT / 'tests'}"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="session")
def home(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A newcomer's, prepared once for all workers of this run."""
    if not computer.can_be_had(tmp_path_factory.mktemp("overlay")):
        pytest.skip("the kernel, or a container, forbids a namespace with an overlay (unshare)")
    if not Path(sys.prefix, "interpreter").exists():
        pytest.skip("these packages are not those that ./scons installs")
    folder = built.with_name("newcomer")
    with built.with_name("newcomer.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not built.with_name("newcomer.done").exists():
            copy_project(built, folder / "viperhttp")
            run(*_NEWCOMER, "prepare", str(folder))
            built.with_name("newcomer.done").touch()
    return folder


# Whose lines take longest: a device is measured, tested, watched, or all of its data is read.
_LONG = ("dev", "flashing", "performance", "pipeline", "testing")


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(
            page,
            id=pages.name(page),
            marks=[pytest.mark.long] if page.stem in _LONG else [],
        )
        for page in pages.PAGES
        if pages.to_type(page)
    ],
)
def test_what_a_page_says_to_type_does_what_it_says(page: Path, home: Path, tmp_path: Path) -> None:
    run(*computer.command(*_NEWCOMER, "type", str(home), str(page), str(tmp_path)))
