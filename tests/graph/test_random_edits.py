# SPDX-License-Identifier: MIT
"""Fifty random edits, of every kind of input and in every way, several under way at a time, and
builds of both boards in turn, some of them killed or with other options: what stands then is what
a build from nothing makes.

EDITS_SEED=<number> repeats a run but for the moments of kills, which are those of a clock.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from changes import WAYS, Built
from every_input import ESP32_KINDS, FILES_KINDS, MICROPYTHON, UNIX_KINDS, every_input

EDITS, COMPARED_AFTER = 50, 5
AT_ONCE = 3  # edits that are under way
LONGEST_S = 4.0  # a build that is to be killed goes on
OPTIONS = ("GZIP_ENABLED=no", "GZIP_LEVEL=9", "GZIP_MIN_SIZE=0")
KINDS = [
    *UNIX_KINDS.values(),
    *ESP32_KINDS.values(),
    *[kind for kind in FILES_KINDS.values() if kind.path != ESP32_KINDS["partitions"].path],
]


class Edits:
    """What becomes of the inputs, by chance."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._under_way: dict[Path, Iterator[None]] = {}
        self._count = 0

    def next(self, built: Built) -> str:
        """Begin an edit, or go on with one.

        Args:
            built: what an input is changed during a build of.

        Returns:
            What it was.
        """
        self._count += 1
        if self._under_way and self._chance.random() < len(self._under_way) / AT_ONCE:
            path = self._chance.choice(list(self._under_way))
            self._go_on(path)
            return f"goes on: {path.relative_to(built.project.folder)}"
        free = [kind for kind in KINDS if built.project.path(kind.path) not in self._under_way]
        kind, way = self._chance.choice(free), self._chance.choice(WAYS)
        path = built.project.path(kind.path)
        self._under_way[path] = way(kind.changing(built, f"spare-{self._count}"))
        self._go_on(path)
        return f"{way.__name__}: {kind.path}"

    def end(self) -> None:
        """Bring all to their ends."""
        while self._under_way:
            self._go_on(next(iter(self._under_way)))

    def _go_on(self, path: Path) -> None:
        if next(self._under_way[path], self) is self:
            del self._under_way[path]
            if path.is_symlink():
                content = path.read_bytes()
                path.unlink()
                path.write_bytes(content)


@pytest.mark.long
def test_fifty_random_edits(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # compilers that are killed leave files there
    seed = int(os.environ.get("EDITS_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"EDITS_SEED={seed}")
    chance = random.Random(seed)
    project = every_input(tmp_path / "edits", built / "build/micropython")
    sources = ("assets", "boards", "elsewhere", "firmware", "linked", "style", ".viperignore")
    boards = [
        Built(
            project,
            board,
            (f"MICROPYTHON={tree}",),
            targets=("flash.bin",),
            compared=("*.bin", "*.img", "firmware.json", "files.json", "**/*.gz", "**/*.o"),
            sources=(*sources, tree),
        )
        for board, tree in MICROPYTHON.items()
    ]
    edits = Edits(chance)
    for number in range(EDITS):
        board = boards[number % len(boards)]
        options = [chance.choice(OPTIONS)] if chance.random() < 0.3 else []
        how = [f"CACHE={tmp_path / 'cache'}"] if chance.random() < 0.3 else []
        is_killed, after_s = chance.random() < 0.3, chance.uniform(0, LONGEST_S)
        print(number, edits.next(board), *options, *how, "killed" * is_killed)
        if is_killed:
            board.killed(after_s, *options, *how)
        result = board.run(*options, *how)[1]
        if (number + 1) % COMPARED_AFTER == 0:
            if result.error:
                print("all end, after:", result.error)
                edits.end()
                result = board.run(*options, *how)[1]
            assert not result.error
            assert result == board.from_nothing(*options)
    edits.end()
    for name, tree in MICROPYTHON.items():
        words = (f"BOARD={name}", f"MICROPYTHON={tree}")
        project.scons(*words)
        assert not project.scons(*words).steps
        made = project.scons("check", *words).output
        assert re.search(r"CHECK .* are as made from nothing", made)
