# SPDX-License-Identifier: MIT
"""Eight boards flashed at once, each on a line that is held to its baud rate."""

from __future__ import annotations

from viper.device import fleet
from viper.flash.jobs import FlashResult
from viper.virtual_board import control

from tests.bench.device_work import work
from tests.bench.figure import Figure, timed
from tests.project import Project

BOARDS = 8


def figures(project: Project) -> list[Figure]:
    """One new board by itself, then as many others together."""
    alone, *together = (f"fleet{number}" for number in range(1 + BOARDS))
    folders = {name: project.path(f".viper/boards/{name}") for name in (alone, *together)}
    boards = {}
    try:
        for name, folder in folders.items():
            boards[name] = control.start(folder, name)
            control.set_faults(folder, hold_line=True)

        def one(name: str) -> FlashResult:
            return work(project, boards[name])

        single = timed(lambda: one(alone))
        all_of_them = timed(lambda: check(fleet.work(together, one, lambda outcome: None)))
    finally:
        for folder in folders.values():
            control.stop(folder)
    return [
        Figure("flash of one new board, line-limited", single, "s"),
        Figure(f"flash of {BOARDS} at once / of one", all_of_them / single, "×", "< 2"),
    ]


def check(outcomes: list[fleet.Outcome[FlashResult]]) -> None:
    for outcome in outcomes:
        assert outcome.error is None, outcome
