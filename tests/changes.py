# SPDX-License-Identifier: MIT
"""The ways in which a file changes, whatever it holds, and what a build makes of it.

A way is a generator: it changes a file, and yields each time that the project is to be built.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from project import Project, Run, restore


@dataclass(frozen=True)
class Changing:
    """A file, and what it holds in its place.

    Attributes:
        path: where it is; with its own time and content when the test begins.
        other: another content, as long as its own.
        spare: a folder of the same project, which no build reads.
        meanwhile: has the project built, and what it is given done while it is.
    """

    path: Path
    other: bytes
    spare: Path
    meanwhile: Callable[[Callable[[], object]], None]


def edited(file: Changing) -> Iterator[None]:
    """As an editor saves: another length, now."""
    file.path.write_bytes(file.other + b"\n")
    yield


def of_the_same_size(file: Changing) -> Iterator[None]:
    """Written into."""
    file.path.write_bytes(file.other)
    yield


def of_the_same_time(file: Changing) -> Iterator[None]:
    """Of the same size and time too: unpacked by npm, or `touch -r`."""
    before = file.path.stat()
    replacement = file.spare / "replacement"
    replacement.write_bytes(file.other)
    os.utime(replacement, ns=(before.st_atime_ns, before.st_mtime_ns))
    shutil.copymode(file.path, replacement)
    replacement.replace(file.path)
    yield


def restored(file: Changing) -> Iterator[None]:
    """Edited, built, and put back with its old time: `cp -p`, `mv x.orig x`, `tar x`."""
    kept = file.spare / "kept"
    shutil.copy2(file.path, kept)
    file.path.write_bytes(file.other)
    yield
    kept.replace(file.path)
    yield


def replaced_by_a_link(file: Changing) -> Iterator[None]:
    """To a file of the same project, and that one edited."""
    target = file.spare / "target"
    target.write_bytes(file.path.read_bytes())
    file.path.unlink()
    file.path.symlink_to(os.path.relpath(target, os.path.realpath(file.path.parent)))
    yield
    target.write_bytes(file.other)
    yield


def replaced_by_a_folder(file: Changing) -> Iterator[None]:
    """With the file in it, and put back."""
    kept = file.spare / "kept"
    file.path.rename(kept)
    file.path.mkdir()
    shutil.copy2(kept, file.path / file.path.name)
    yield
    shutil.rmtree(file.path)
    kept.rename(file.path)
    yield


def renamed_by_case(file: Changing) -> Iterator[None]:
    """And back."""
    other = file.path.with_name(file.path.name.swapcase())
    file.path.rename(other)
    yield
    other.rename(file.path)
    yield


def removed_and_added(file: Changing) -> Iterator[None]:
    """With its old time."""
    kept = file.spare / "kept"
    file.path.rename(kept)
    yield
    kept.rename(file.path)
    yield


def changed_while_it_is_built(file: Changing) -> Iterator[None]:
    """The other content is built, and the first one is put back meanwhile, with its old time."""
    kept = file.spare / "kept"
    shutil.copy2(file.path, kept)
    file.path.write_bytes(file.other)
    file.meanwhile(lambda: kept.replace(file.path))
    yield


Way = Callable[[Changing], Iterator[None]]
WAYS: tuple[Way, ...] = (
    edited, of_the_same_size, of_the_same_time, restored, replaced_by_a_link, replaced_by_a_folder,
    renamed_by_case, removed_and_added, changed_while_it_is_built,
)  # fmt: skip
# Those in which a file comes or goes.
NAMES_CHANGE = (replaced_by_a_folder, renamed_by_case, removed_and_added)


@dataclass(frozen=True)
class Kind:
    """A kind of input.

    Attributes:
        path: of an example, from the project's folder.
        old: a text that stands in it.
        new: one in its place, as long.
        steps: the first words of those that may run if it is another; the first one does.
    """

    path: str
    old: str
    new: str
    steps: str

    def changing(self, built: Built, spare: str = "spare") -> Changing:
        """The file in a project, with the one text or the other.

        Args:
            spare: the name of a folder that is made for what is to be kept meanwhile.
        """
        path, folder = built.project.path(self.path), built.project.path(spare)
        content, old, new = path.read_bytes(), self.old.encode(), self.new.encode()
        other = content.replace(old, new) if old in content else content.replace(new, old)
        assert len(other) == len(content) and other != content, self.path
        folder.mkdir()
        return Changing(path, other, folder, built.meanwhile)


@dataclass(frozen=True)
class Result:
    """What came of a build: the digests of what it made, or the first line of its error."""

    outputs: dict[str, str]
    error: str


class Built:
    """A project and what is built of it; what is changed in it is changed by a test alone.

    Attributes:
        targets: what is built, below the board's folder.
        compared: what is compared of it.
    """

    def __init__(
        self,
        project: Project,
        board: str,
        options: tuple[str, ...],
        targets: tuple[str, ...],
        compared: tuple[str, ...],
        sources: tuple[str, ...],
    ) -> None:
        self.project = project
        self._options = (f"BOARD={board}", *options)
        self._build = f"build/{board}"
        self._targets = targets
        self._compared = compared
        self._sources = sources
        self._known: dict[str, Result] = {}
        self._kept = project.folder.with_name(f"{project.folder.name}-kept")

    @contextmanager
    def put_back(self, changed: str) -> Iterator[None]:
        """Have the project as it was, in the end, with a file that may have its size and time."""
        if not self._kept.exists():
            shutil.copytree(self.project.folder, self._kept, symlinks=True)
        try:
            yield
        finally:
            _remove(self.project.path(changed))
            restore(self.project.folder, self._kept)

    def run(self, *options: str) -> tuple[Run, Result]:
        """Build, whatever comes of it."""
        run = self.project.scons(*self._words(), *options, status=None)
        assert "/site_scons/" not in run.output, run.output  # of a traceback
        if run.status:
            error = re.search(r"^error: (.*)$", run.output, re.MULTILINE)
            assert run.status == 2 and error, run.output
            return run, Result({}, error[1])
        folder = self.project.path(self._build)
        files = sorted(path for pattern in self._compared for path in folder.glob(pattern))
        return run, Result({str(path.relative_to(folder)): _digest(path) for path in files}, "")

    def meanwhile(self, change: Callable[[], object], after: str = "") -> None:
        """Build, and have something changed once a step has told that it is under way.

        Args:
            after: what is made first, of files that depend on nothing else; then it is changed.
        """
        first = [self._output(after)] if after else []
        for name in first:
            self.project.path(name).unlink(missing_ok=True)
        process = self.project.start(*first, *self._words(), "-j1")
        assert process.stdout is not None
        process.stdout.readline()
        change()
        process.communicate()

    def killed(self, after_s: float, *options: str) -> None:
        """Begin to build, and kill it if it has not ended by then."""
        process = self.project.start(*self._words(), *options)
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=after_s)
        process.kill()
        process.communicate()

    def from_nothing(self, *options: str) -> Result:
        """What a build from nothing makes of the sources as they stand, in the same folder."""
        state = f"{self.state()} {options}"
        if state not in self._known:
            build, aside = self.project.path("build"), self.project.path("build aside")
            build.rename(aside)
            build.mkdir()
            self._known[state] = self.run(*options)[1]
            shutil.rmtree(build)
            aside.rename(build)
        return self._known[state]

    def state(self) -> str:
        """The digest of the sources as they stand: names and contents, links followed."""
        digest = hashlib.sha256()
        for path in sorted(each for name in self._sources for each in self._files(name)):
            digest.update(f"{path.relative_to(self.project.folder)}\0".encode())
            digest.update(path.read_bytes())
        return digest.hexdigest()

    def _files(self, name: str) -> Iterator[Path]:
        if self.project.path(name).is_file():
            yield self.project.path(name)
        for parent, _, names in os.walk(self.project.path(name), followlinks=True):
            yield from (Path(parent, each) for each in names)

    def _words(self) -> list[str]:
        return [*map(self._output, self._targets), *self._options]

    def _output(self, name: str) -> str:
        return f"{self._build}/{name}"


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
