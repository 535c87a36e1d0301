# SPDX-License-Identifier: MIT
"""What a benchmark finds: lines of one table, and the ways to time things beside each other.

Things that are compared run in turn, A B A B, so that a change of the machine's speed meets all of
them; medians are quoted, and ratios from one run. What a run with nothing to do costs is its least
processor time: whatever else a machine does can only add to it.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

RUNS = 7
LEAST_OF = 15


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    what: str
    value: float
    unit: str
    bound: str = ""  # what is promised, empty if the line only explains another


def alternate(measures: Sequence[Callable[[], float]], runs: int = RUNS) -> list[float]:
    """The median of each measure, each taken `runs` times in turn."""
    values: list[list[float]] = [[] for _ in measures]
    for _ in range(runs):
        for measure, into in zip(measures, values, strict=True):
            into.append(measure())
    return [statistics.median(each) for each in values]


def in_turn(
    first: Callable[[], object], second: Callable[[], object], runs: int = RUNS
) -> tuple[float, float]:
    """The median times of two things, run in turn."""
    one, other = alternate([lambda: timed(first), lambda: timed(second)], runs)
    return one, other


def least_cpu(actions: Sequence[Callable[[], object]], runs: int = LEAST_OF) -> list[float]:
    """The least processor time that the processes of each action take, run in turn; in seconds."""
    values: list[list[float]] = [[] for _ in actions]
    for _ in range(runs):
        for action, into in zip(actions, values, strict=True):
            before = os.times()
            action()
            now = os.times()
            used = now.children_user + now.children_system
            into.append(used - before.children_user - before.children_system)
    return [min(each) for each in values]


def timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started
