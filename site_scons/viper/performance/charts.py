# SPDX-License-Identifier: MIT
"""The charts of the page, as SVG that takes its colours from the page's style."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

from viper.performance.record import Phase

_WIDTH, _HEIGHT = 440, 220  # about as wide as a phone: text keeps its size there
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 12, 12, 34

Points = Sequence[tuple[float, float]]


def percentiles(curves: Mapping[str, Points]) -> Markup:
    """Latency over percentile: the horizontal scale counts nines, the vertical is logarithmic."""
    values = [value for points in curves.values() for _, value in points if value > 0]
    if not values:
        return Markup()
    scale = _log_scale(min(values), max(values))
    marks = (50, 90, 99, 99.9, 99.99)
    chart = _Chart("latency by percentile, in milliseconds")
    for at in marks:
        chart.column(_nines(at) / 4, f"{at:g} %")
    for value in scale.marks:
        chart.row(scale(value), _short(value))
    for number, (name, points) in enumerate(curves.items()):
        placed = [(_nines(at) / 4, scale(value)) for at, value in points if value > 0]
        chart.line(placed, number, name)
    return chart.markup()


def timelines(phases: Sequence[Phase]) -> Markup:
    """Answers a second over phases of one kind, a line for each run."""
    windows = [
        (
            phase.timeline["window_s"],
            [n / phase.timeline["window_s"] for n in phase.timeline["counts"]],
        )
        for phase in phases
    ]
    most = max((rate for _, rates in windows for rate in rates), default=0)
    if not most:
        return Markup()
    length = max(window * len(rates) for window, rates in windows)
    chart = _Chart("answers a second over the burst")
    for part in (0.5, 1):
        chart.row(part, _short(most * part))
    for part in (0, 0.5, 1):
        chart.column(part, f"{length * part:.1f} s")
    for number, (window, rates) in enumerate(windows):
        points = [((i + 0.5) * window / length, rate / most) for i, rate in enumerate(rates)]
        chart.line(points, number, f"run {number + 1}")
    return chart.markup()


def history(runs: Sequence[Mapping[str, Any]]) -> Markup:
    """The burst's rate of each run, with the build that it was of."""
    if not runs:
        return Markup()
    most = max(run["rate"] for run in runs) or 1.0
    chart = _Chart("burst rate of the runs like this one")
    for part in (0.5, 1):
        chart.row(part, _short(most * part))
    places = [(i + 0.5) / len(runs) for i in range(len(runs))]
    chart.line([(x, run["rate"] / most) for x, run in zip(places, runs, strict=True)], 0, "")
    every = math.ceil(len(runs) / 4)
    for number, (x, run) in enumerate(zip(places, runs, strict=True)):
        chart.dot(x, run["rate"] / most, f"{run['tag']} of {run['started']}: {run['rate']:,.0f}/s")
        if (len(runs) - 1 - number) % every == 0:
            chart.column(x, run["build"] or run["tag"])
    return chart.markup()


def _nines(percentile: float) -> float:
    """0 for 0 %, 1 for 90 %, 2 for 99 %."""
    return -math.log10(max(1e-4, 1 - percentile / 100))


class _LogScale:
    """From values to 0 … 1."""

    def __init__(self, low: int, high: int) -> None:
        self._low, self._high = low, high
        self.marks = [10.0**power for power in range(low, high + 1)]

    def __call__(self, value: float) -> float:
        return (math.log10(value) - self._low) / (self._high - self._low)


def _log_scale(least: float, most: float) -> _LogScale:
    low = math.floor(math.log10(least))
    return _LogScale(low, max(low + 1, math.ceil(math.log10(most))))


def _short(value: float) -> str:
    return f"{value / 1000:.3g}k" if value >= 1000 else f"{value:.3g}"


class _Chart:
    """Lines between (0, 0) at the lower left and (1, 1)."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._parts: list[Markup] = []
        self._names: list[tuple[int, str]] = []

    def row(self, y: float, text: str) -> None:
        at = _y(y)
        self._add('<path class="grid" d="M{} {}H{}"/>', _LEFT, at, _WIDTH - _RIGHT)
        self._add('<text class="scale end" x="{}" y="{}">{}</text>', _LEFT - 6, at + 4, text)

    def column(self, x: float, text: str) -> None:
        at = _x(x)
        self._add('<path class="grid" d="M{} {}V{}"/>', at, _TOP, _HEIGHT - _BOTTOM)
        side = "end" if x > 0.9 else "start" if x < 0.05 else "middle"
        self._add('<text class="scale {}" x="{}" y="{}">{}</text>', side, at, _HEIGHT - 14, text)

    def line(self, points: Points, number: int, name: str) -> None:
        if points:
            path = "L".join(f"{_x(x)} {_y(y)}" for x, y in points)
            self._add('<path class="line s{}" d="M{}"/>', number % 6, path)
        if name:
            self._names.append((number % 6, name))

    def dot(self, x: float, y: float, text: str) -> None:
        self._add(
            '<circle class="dot" cx="{}" cy="{}" r="4"><title>{}</title></circle>',
            _x(x), _y(y), text,
        )  # fmt: skip

    def markup(self) -> Markup:
        body = Markup("").join(self._parts)
        names = Markup("").join(
            Markup('<span class="key s{}">{}</span>').format(number, name)
            for number, name in self._names
        )
        return Markup(
            '<figure><svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>'
            "<figcaption>{} {}</figcaption></figure>"
        ).format(_WIDTH, _HEIGHT, escape(self._title), body, self._title, names)

    def _add(self, text: str, *values: object) -> None:
        self._parts.append(Markup(text).format(*values))


def _x(part: float) -> float:
    return round(_LEFT + part * (_WIDTH - _LEFT - _RIGHT), 1)


def _y(part: float) -> float:
    return round(_HEIGHT - _BOTTOM - part * (_HEIGHT - _BOTTOM - _TOP), 1)
