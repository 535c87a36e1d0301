# SPDX-License-Identifier: MIT
"""The locks, and what is done so that this Python has what they list. pip is a double."""

from __future__ import annotations

import fcntl
import os
import sys
import threading
from pathlib import Path

import pytest
from project import ROOT
from viper.base import packages
from viper.base.errors import UserError

ADDED = ["perf", "test", "bench", "lint", "docs", "sbom"]
PIP = """#!/bin/sh
echo "$*" >>{folder}/log
[ ! -e {folder}/fails ] || {{ echo "ERROR: no such host"; exit 1; }}
"""


class Environment:
    """An environment that ./scons has made, whose pip notes what it is asked for."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.installed = folder / "requirements"
        self.installed.mkdir()
        (self.installed / "base.txt").touch()
        self.locks = folder / "locks"
        self.locks.mkdir()
        self.lock = self.locks / "test.txt"
        self.lock.write_text("pytest==1 \\\n    --hash=sha256:00\n")
        self.fails = folder / "fails"
        self._log = folder / "log"
        python = folder / "python"
        python.write_text(PIP.format(folder=folder))
        python.chmod(0o755)
        patch.setattr(sys, "executable", str(python))
        patch.setattr(packages, "_INSTALLED", self.installed)
        patch.setattr(packages, "LOCKS", self.locks)

    @property
    def installs(self) -> list[str]:
        return self._log.read_text().splitlines() if self._log.exists() else []


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    return Environment(tmp_path, monkeypatch)


def test_a_lock_is_installed_once(environment: Environment) -> None:
    packages.provide("test")
    packages.provide("test")
    (command,) = environment.installs
    assert "pip install" in command and "--require-hashes" in command
    assert command.endswith(f"--requirement {environment.lock}")


def test_a_changed_lock_is_installed_again(environment: Environment) -> None:
    packages.provide("test")
    environment.lock.write_text("pytest==2 \\\n    --hash=sha256:00\n")
    packages.provide("test")
    assert len(environment.installs) == 2


def test_what_could_not_be_installed_is_tried_again(environment: Environment) -> None:
    environment.fails.touch()
    with pytest.raises(
        UserError, match=r"test\.txt could not be installed: ERROR: no such host"
    ) as told:
        packages.provide("test")
    assert "check the network" in told.value.next_step
    environment.fails.unlink()
    packages.provide("test")
    assert len(environment.installs) == 2


def test_two_runs_install_it_once(environment: Environment) -> None:
    """The second one waits, and finds the work of the first done."""
    with (environment.installed / "base.txt").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        second = threading.Thread(target=packages.provide, args=("test",))
        second.start()
        inode = f":{os.fstat(held.fileno()).st_ino} "
        while not any(
            "->" in line and inode in line for line in Path("/proc/locks").read_text().splitlines()
        ):
            assert second.is_alive(), "it did not wait"
        (environment.installed / "test.txt").write_bytes(environment.lock.read_bytes())
    second.join()
    assert environment.installs == []


def test_nothing_is_installed_in_another_python(environment: Environment) -> None:
    (environment.installed / "base.txt").unlink()
    with pytest.raises(UserError, match="lacks packages: pytest is ") as told:
        packages.provide("test")
    assert "pip install -r requirements/test.txt" in told.value.next_step
    environment.lock.write_text(f"pytest=={pytest.__version__} \\\n    --hash=sha256:00\n")
    packages.provide("test")
    assert environment.installs == []


@pytest.mark.parametrize("name", ADDED)
def test_an_added_lock_changes_nothing_that_is_there(name: str) -> None:
    base = {one.name: one.specifier for one in packages.pinned(ROOT / "requirements/base.txt")}
    added = {one.name: one.specifier for one in packages.pinned(ROOT / f"requirements/{name}.txt")}
    both = base.keys() & added.keys()
    assert {one: added[one] for one in both} == {one: base[one] for one in both}


def test_the_first_run_installs_what_a_build_and_a_device_need() -> None:
    base = {one.name for one in packages.pinned(ROOT / "requirements/base.txt")}
    assert {"scons", "esptool", "mpremote", "aiohttp"} <= base
    assert not base & {"scipy", "numpy", "pytest", "hypothesis", "mypy", "ruff", "mkdocs"}


@pytest.mark.parametrize(
    "lock", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda p: p.stem
)
def test_a_lock_has_its_source_and_names_no_host(lock: Path) -> None:
    assert lock.with_suffix(".in").is_file()
    assert "://" not in lock.read_text(encoding="utf-8")
