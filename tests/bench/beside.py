# SPDX-License-Identifier: MIT
"""What a person types, here and in a clone of an older commit: whole commands, in turn.

The older one builds with its own packages and flashes its own board: all of it is what it was. Of
commands that ask a device the time counts that a person waits, of builds with nothing to do the
processor's.
"""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from viper.base.errors import UserError

from tests.bench.figure import RUNS, Figure, in_turn, least_cpu, timed
from tests.bench.graph import ASSETS, add_assets, settle
from tests.project import ROOT, Project

PAGES = 500
FILES, FILE_SIZE = 210, 24_000
_HOLD = """
from pathlib import Path
from viper.virtual_board import control
control.set_faults(Path(".viper/boards/beside"), hold_line=True)
"""


class Clone(Project):
    """A version of the project, with a board of its own."""

    port = "PORT=virtual:beside"
    limit_s = 1800.0  # megabytes on a line that is held to its baud rate

    def __init__(self, folder: Path, python: Path | None = None) -> None:
        super().__init__(folder)
        self._python = python

    def command(self, *arguments: str) -> list[str]:
        if self._python is None:
            return super().command(*arguments)
        return [str(self._python), "-m", "SCons", "-Q", *arguments]

    def on_board(self, goal: str) -> Callable[[], object]:
        """A goal with this clone's board, to be timed."""
        return lambda: self.scons(goal, self.port)

    def hold_line(self) -> None:
        """Hold the line to the board to its baud rate from now on."""
        python = self.command()[0]
        subprocess.run(
            [python, "-c", _HOLD],
            cwd=self.folder,
            env=self.environment(PYTHONPATH="site_scons"),
            check=True,
            capture_output=True,
        )


class Beside:
    """Both, and what is measured of them; the older one is set up when the first part runs."""

    def __init__(self, commit: str) -> None:
        """Raises UserError if there is no such commit."""
        named = ["git", "rev-parse", "--quiet", "--verify", f"{commit}^{{commit}}"]
        if subprocess.run(named, cwd=ROOT, capture_output=True).returncode != 0:
            raise UserError(f"BESIDE={commit}: there is no such commit here", "git log --oneline")
        self._commit = commit
        self._older: Clone | None = None

    @property
    def parts(self) -> tuple[Callable[[Project], list[Figure]], ...]:
        """In the order that they build on."""
        return (self.builds, self.boards, self.line)

    def builds(self, project: Project) -> list[Figure]:
        """Runs with nothing to do, or one asset."""
        ours, theirs = clones = self._clones(project)
        for clone in clones:
            settle(clone, "image")
        demo = least_cpu([lambda: ours.scons("image"), lambda: theirs.scons("image")])
        for clone in clones:
            add_assets(clone, "beside", ASSETS, 1000)
            settle(clone, "assets")
        many = least_cpu([lambda: ours.scons("assets"), lambda: theirs.scons("assets")], RUNS)
        edited = least_cpu([lambda: _edit(ours, "assets"), lambda: _edit(theirs, "assets")], RUNS)
        for clone in clones:
            for folder in clone.path("assets/www").glob("beside*"):
                shutil.rmtree(folder)
        return [
            *self._pair("image, nothing to do, CPU", demo),
            *self._pair(f"assets, {ASSETS} of them, nothing to do, CPU", many),
            *self._pair(f"assets, one of {ASSETS} edited, CPU", edited),
        ]

    def boards(self, project: Project) -> list[Figure]:
        """Goals on a board whose line is as fast as it can be."""
        ours, theirs = clones = self._clones(project)
        for clone in clones:
            clone.scons("flash", clone.port)
        same = in_turn(ours.on_board("flash"), theirs.on_board("flash"))
        for clone in clones:
            add_assets(clone, "pages", PAGES, 1000)
            clone.scons("sync", clone.port)
        one = in_turn(lambda: _edit(ours, "sync"), lambda: _edit(theirs, "sync"))
        return [
            *self._pair("flash, nothing to do", same, "≤ 0.7"),
            *self._pair(f"sync of one of {PAGES} assets", one, "≤ 1"),
        ]

    def line(self, project: Project) -> list[Figure]:
        """Goals on a line that is held to its baud rate: each once, for they take long."""
        clones = self._clones(project)
        many, backups = list[float](), list[float]()
        for clone in clones:
            clone.hold_line()
            for number in range(FILES):
                noise = clone.path(f"assets/www/noise/{number}.bin")
                noise.parent.mkdir(exist_ok=True)
                noise.write_bytes(random.Random(number).randbytes(FILE_SIZE))
            clone.scons("image")
            many.append(timed(clone.on_board("sync")))
            backups.append(timed(clone.on_board("backup")))
            clone.scons("board-stop", clone.port)
        return [
            *self._pair(
                f"sync of {FILES} new files, {FILES * FILE_SIZE / 1e6:.0f} MB", many, "≤ 0.5"
            ),
            *self._pair("backup", backups, "≤ 0.35"),
        ]

    def _clones(self, project: Project) -> tuple[Clone, Clone]:
        if self._older is None:
            folder = project.folder.parent / "older"
            subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
            subprocess.run(["git", "checkout", "-q", self._commit], cwd=folder, check=True)
            subprocess.run(["./scons", "image"], cwd=folder, check=True, capture_output=True)
            self._older = Clone(folder, folder / ".venv/bin/python")
        return Clone(project.folder), self._older

    def _pair(
        self, what: str, seconds: list[float] | tuple[float, float], bound: str = ""
    ) -> list[Figure]:
        ours, theirs = seconds
        return [
            Figure(what, ours, "s"),
            Figure(f"  beside {self._commit}", ours / theirs, "×", bound),
        ]


def _edit(clone: Clone, goal: str) -> None:
    """Give an asset a content that it has not had yet, and bring a goal about."""
    asset = clone.path("assets/www/app.js")
    asset.write_text(f"{asset.read_text(encoding='utf-8')}//\n", encoding="utf-8")
    clone.scons(goal, *([clone.port] if goal == "sync" else []))
