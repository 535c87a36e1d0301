"""A copy of the project, with its outputs, that a test may change."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_LIMIT_S = 120.0
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

    def scons(self, *arguments: str, status: int = 0, answer: str = "", **environment: str) -> Run:
        """Run SCons, which must end with `status`; `answer` is what it reads."""
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment(**environment),
            input=answer,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )
        assert done.returncode == status, done.stdout
        return Run(done.returncode, done.stdout)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Begin a run, to be disturbed."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def digests(self) -> dict[str, str]:
        """Every output of the graph that goes to a device, and the record of the build."""
        outputs = self.path("build/VIRTUAL_N16R8")
        executable = outputs / "firmware/micropython"
        return {
            str(path.relative_to(outputs)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in [*outputs.glob("*.*"), *outputs.glob("www/*"), executable]
            if path.is_file()
        }

    def path(self, name: str) -> Path:
        return self.folder / name

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a text that must stand once or more in a file."""
        path = self.path(name)
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{name} has no {old!r}"
        path.write_text(text.replace(old, new), encoding="utf-8")


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Wait for something that a running process is to bring about."""
    deadline = time.monotonic() + _LIMIT_S
    while not condition():
        assert process.poll() is None or condition(), process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.005)  # what is waited for are files, which nobody announces


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
    """A copy with its outputs; the checkout, which nobody writes to, by hard links if possible."""
    shutil.copytree(
        built,
        folder,
        symlinks=True,
        ignore=shutil.ignore_patterns(".git", ".venv", ".viper", "micropython"),
    )
    source = built / "build/VIRTUAL_N16R8/firmware/micropython"
    shutil.copy2(source, folder / "build/VIRTUAL_N16R8/firmware")
    shutil.copytree(
        built / "build/micropython",
        folder / "build/micropython",
        symlinks=True,
        copy_function=_link,
    )
    return Project(folder)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)
