# SPDX-License-Identifier: MIT
"""A copy of the project, with its outputs, that a test may change."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import stat
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

    limit_s = 300.0  # for a run

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "SCons", "-Q", *arguments]

    def environment(self, **more: str) -> dict[str, str]:
        return {**os.environ, **more}

    def scons(
        self, *arguments: str, status: int | None = 0, answer: str = "", **environment: str
    ) -> Run:
        """Run SCons, which must end with `status`, None for any; `answer` is what it reads."""
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment(**environment),
            input=answer,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=self.limit_s,
        )
        assert status in (None, done.returncode), done.stdout
        return Run(done.returncode, done.stdout)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Begin a run, to be disturbed."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment(**environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def digests(self) -> dict[str, str]:
        """Every output of the graph that goes to a device, and the record of the build.

        Not how long steps took, what their outputs' files looked like then, or what a killed build
        leaves.
        """
        own = ("steps.json", "made.json", "system.json")
        outputs = self.path("build/VIRTUAL_N16R8")
        executable = outputs / "firmware/micropython"
        return {
            str(path.relative_to(outputs)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in [*outputs.glob("*.*"), *outputs.glob("www/*"), executable]
            if path.is_file() and path.name not in own and path.suffix != ".part"
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


def processes_in(folder: Path) -> list[str]:
    """The command lines of processes whose working directory is in a folder."""
    found = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if link.readlink().is_relative_to(folder):
                command = (link.parent / "cmdline").read_bytes()
                found.append(command.replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue  # ended meanwhile
    return found


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


def take_limits(folder: Path, board: str) -> None:
    """Give the virtual board's server the limits of another board, as its board.toml has them."""
    path = folder / "boards/VIRTUAL_N16R8/board.toml"
    head, heading, _ = path.read_text().partition("[viperhttp]\n")
    theirs = (folder / f"boards/{board}/board.toml").read_text().partition(heading)[2]
    own = re.sub("(?m)^VHTTP_INTERNAL_MEMORY_MAX.*\\n", "", theirs.partition("\n[")[0])
    path.write_text(f"{head}{heading}VHTTP_IPC_RINGBUF_SIZE_PSRAM = 32768\n{own}\n")


def copy_outputs(folder: Path) -> None:
    """The working tree's MicroPython and what was compiled of it, with the records of both."""
    build = ROOT / "build"
    if not build.is_dir():
        return
    with (build / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # a build may go on in another terminal
        (folder / "build").mkdir()
        outputs = ("firmware", "generated", "stage")
        for name in ("micropython", *[f"VIRTUAL_N16R8/{output}" for output in outputs]):
            if (build / name).is_dir():
                shutil.copytree(build / name, folder / "build" / name, symlinks=True)
        records = [f"VIRTUAL_N16R8/{name}.json" for name in ("firmware", "made", "steps", "system")]
        general = ("micropython.json", "contents.json", "toolchain.json", ".sconsign.dblite")
        for name in (*general, *records):
            if (build / name).is_file():
                shutil.copy2(build / name, folder / "build" / name)


def copy_project(built: Path, folder: Path) -> Project:
    """A copy with its outputs."""
    shutil.copytree(
        built,
        folder,
        symlinks=True,
        ignore=shutil.ignore_patterns(".git", ".venv", ".viper", "micropython"),
    )
    source = built / "build/VIRTUAL_N16R8/firmware/micropython"
    shutil.copy2(source, folder / "build/VIRTUAL_N16R8/firmware")
    copy_checkout(built, folder / "build/micropython")
    return Project(folder)


def copy_checkout(project: Path, folder: Path) -> None:
    """A project's MicroPython, by hard links if possible: replace files, do not write into them."""
    shutil.copytree(project / "build/micropython", folder, symlinks=True, copy_function=_link)


def copy_unix_port(project: Path, folder: Path) -> None:
    """The same without history and what the unix port is not made of, five files of six."""

    def unused(parent: str, names: list[str]) -> set[str]:
        if Path(parent).name == "ports":
            return set(names) - {"unix"}
        return {".git", "docs", "examples", "logo", "tests"} & set(names)

    checkout = project / "build/micropython"
    shutil.copytree(checkout, folder, symlinks=True, ignore=unused, copy_function=_link)


def restore_project(project: Project, built: Path) -> None:
    """Make a copy of a project what it was.

    MicroPython is looked at as a whole: fetching replaces it, and nothing writes into it.
    """
    standing, checkout = built / "build/micropython", project.path("build/micropython")
    mark = checkout / "LICENSE"
    if not (mark.exists() and mark.samefile(standing / "LICENSE")):
        shutil.rmtree(checkout, ignore_errors=True)
        copy_checkout(built, checkout)
    restore(project.folder, built, but=standing)


def restore(folder: Path, kept: Path, but: Path | None = None) -> None:
    """Make a folder what a copy of it was, touching only what differs in kind, size or time.

    Args:
        but: a folder of the copy that is left out.
    """
    there = {entry.name: entry for entry in os.scandir(kept)}
    for entry in list(os.scandir(folder)):
        if entry.name not in there or _kind(entry) != _kind(there[entry.name]):
            _remove(entry)
    for name, entry in there.items():
        source, target = kept / name, folder / name
        if source == but:
            continue
        if entry.is_dir(follow_symlinks=False):
            target.mkdir(exist_ok=True)
            shutil.copymode(source, target)
            restore(target, source, but)
        elif not os.path.lexists(target):
            shutil.copy2(source, target, follow_symlinks=False)


def _kind(entry: os.DirEntry[str]) -> tuple[int, ...]:
    """What tells an entry from another of its name: of a folder only that it is one."""
    status = entry.stat(follow_symlinks=False)
    if stat.S_ISDIR(status.st_mode):
        return (status.st_mode,)
    return status.st_mode, status.st_size, status.st_mtime_ns


def _remove(entry: os.DirEntry[str]) -> None:
    if entry.is_dir(follow_symlinks=False):
        shutil.rmtree(entry.path)
    else:
        Path(entry.path).unlink()


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)
