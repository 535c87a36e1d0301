"""A project of its own for each graph test: the sources as they stand, built once and copied."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_STEP = re.compile(r"^([A-Z]{3,8}) +(\S+)  ", re.MULTILINE)


@dataclass(frozen=True)
class Run:
    """One run of SCons: what it printed, its status, and the steps that it ran."""

    status: int
    output: str

    @property
    def steps(self) -> set[str]:
        """The steps that ran, as "GZIP app.js.gz"."""
        return {f"{tag} {subject}" for tag, subject in _STEP.findall(self.output)}


class Project:
    """A copy of the project in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "SCons", "-Q", *arguments]

    def environment(self, **more: str) -> dict[str, str]:
        return {**os.environ, **more}

    def scons(self, *arguments: str, status: int = 0, **environment: str) -> Run:
        """Run SCons, which must end with `status`."""
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment(**environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )
        assert done.returncode == status, done.stdout
        return Run(done.returncode, done.stdout)

    def path(self, name: str) -> Path:
        return self.folder / name

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a text that must stand once or more in a file."""
        path = self.path(name)
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{name} has no {old!r}"
        path.write_text(text.replace(old, new), encoding="utf-8")


def copy_sources(folder: Path) -> None:
    """What git would take of the working tree, as it stands."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout.decode()
    for name in filter(None, listing.split("\0")):
        if (ROOT / name).is_file():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)


def copy_project(built: Path, folder: Path) -> Project:
    """A copy with its outputs; the checkout, which nobody writes to, by hard links."""
    shutil.copytree(
        built, folder, symlinks=True, ignore=lambda parent, names: {"micropython"} & set(names)
        if Path(parent).name == "build" else set(),
    )  # fmt: skip
    subprocess.run(
        ["cp", "-al", str(built / "build/micropython"), str(folder / "build/micropython")],
        check=True,
    )
    return Project(folder)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with everything built, once for all workers."""
    shared = tmp_path_factory.getbasetemp().parent
    folder = shared / "built project"  # every test runs in a path with a space
    with (shared / "built.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "built.done").exists():
            folder.mkdir()
            copy_sources(folder)
            if (ROOT / "build/micropython.json").exists():
                # What stands in the working tree's build folder need not be fetched again.
                (folder / "build").mkdir()
                shutil.copy2(ROOT / "build/micropython.json", folder / "build")
                shutil.copytree(ROOT / "build/micropython", folder / "build/micropython")
            Project(folder).scons()
            (shared / "built.done").touch()
    return folder


@pytest.fixture
def project(built: Path, tmp_path: Path) -> Iterator[Project]:
    """A built project to change."""
    yield copy_project(built, tmp_path / "a project")
    shutil.rmtree(tmp_path / "a project")
