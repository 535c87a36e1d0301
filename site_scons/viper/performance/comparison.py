# SPDX-License-Identifier: MIT
"""Two runs compared: what changed, how sure that is, and a verdict.

Each figure has one value for every run of a profile, and is compared on a logarithmic scale, where
a change is a ratio. Its uncertainty comes from one of two sources:

- Once whole runs of one build have been repeated often enough, from how those differ among each
  other. That is what the next whole run is going to differ by, change or no change.
- Until then from Welch's interval of the two runs, which sees only what varies within each.

Two figures of each profile decide: the rate of the burst, and the typical latency of the long
phase, which is the geometric mean of its paths' medians: one path that is slower shows in it. The
other figures, and those of single paths, say where a change comes from. So that the verdict of a
whole run is wrong in at most one case of twenty, each deciding figure is held to 1 - 0.05 / n.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from viper.performance.record import BURST, LONG, Phase, Record

BETTER, SAME, WORSE = "better", "same", "worse"
TOO_NOISY, NOT_COMPARED = "too noisy to tell", "not compared"

TYPICAL = "typical latency"

ERROR_RATE = 0.05  # of verdicts that noise alone may change
REPEATS_NEEDED = 4  # degrees of freedom, as two runs of three give Welch at most
_RESOLUTION = 0.0005  # standard deviation that a figure of a histogram has at the least
_A_A_RUNS = 20  # the newest, of which every two are compared


@dataclass(frozen=True)
class Figure:
    """A figure that a record has for every run of a profile."""

    profile: str
    kind: str  # BURST or LONG
    name: str  # "rate", TYPICAL, or a percentile: "p50"
    path: str = ""  # of one path; empty: of all together

    @property
    def more_is_better(self) -> bool:
        """A rate is better when it is greater, a latency when it is less."""
        return self.name == "rate"

    @property
    def unit(self) -> str:
        """What its numbers count: requests a second, or milliseconds."""
        return "/s" if self.name == "rate" else "ms"

    @property
    def words(self) -> str:
        """`burst rate`, `long p50 of /light`."""
        return f"{self.kind} {self.name}" + (f" of {self.path}" if self.path else "")


@dataclass(frozen=True)
class Change:
    """How a figure differs between two records. Changes are ratios minus 1: 0.05 is 5 % more."""

    figure: Figure
    before: float  # the mean of the runs (geometric)
    after: float
    change: float
    low: float  # the interval of the change
    high: float
    detectable: float  # the smallest change that would be seen; infinite with too few runs
    verdict: str

    @property
    def regression(self) -> float:
        """By how much it is worse, as a part of what it was; negative if better."""
        return -self.change if self.figure.more_is_better else self.change


@dataclass(frozen=True)
class Comparison:
    """A record beside its baseline.

    Attributes:
        verdict: BETTER, SAME, WORSE or TOO_NOISY; NOT_COMPARED without a baseline.
        deciding: the changes that the verdict is made of.
        beyond: the deciding changes that are worse by more than was allowed.
        source: where the uncertainty comes from, in words.
    """

    verdict: str
    deciding: tuple[Change, ...] = ()
    beyond: tuple[Change, ...] = ()
    source: str = ""


def compare(
    record: Record, baseline: Record, like: Sequence[Record], max_regression: float
) -> Comparison:
    """Compare a record with an earlier one.

    Args:
        like: earlier records that either may be compared with, for the noise between whole runs.
        max_regression: the change that matters, 0.1 for 10 %.
    """
    figures = _deciding(record)
    changes = _changes(figures, record, baseline, like, max_regression)
    beyond = [
        change
        for change in changes
        if change.verdict == WORSE and change.regression > max_regression
    ]
    repeated = _repeats(like)
    return Comparison(
        verdict=overall([change.verdict for change in changes]),
        deciding=changes,
        beyond=tuple(beyond),
        source=(
            f"how {sum(map(len, repeated))} repeated runs of one build differ"
            if sum(len(group) - 1 for group in repeated) >= REPEATS_NEEDED
            else "Welch's interval of the two runs"
        ),
    )


def explain(
    record: Record, baseline: Record, like: Sequence[Record], max_regression: float
) -> tuple[Change, ...]:
    """What `compare` compares, for single paths and percentiles: where a change comes from."""
    return _changes(_explaining(record), record, baseline, like, max_regression)


def worst_paths(explaining: Sequence[Change], profile: str) -> list[Change]:
    """The paths of a profile whose median latency became worse, the worst first.

    Where noise hides all of them, the one that seems worst.
    """
    paths = [
        change
        for change in explaining
        if change.figure == Figure(profile, LONG, "p50", change.figure.path) and change.figure.path
    ]
    paths.sort(key=lambda change: -change.regression)
    return [change for change in paths if change.verdict == WORSE] or paths[:1]


def overall(verdicts: Sequence[str]) -> str:
    """The verdict of a whole from those of its parts: the one that matters most."""
    for verdict in (WORSE, TOO_NOISY, BETTER, SAME):
        if verdict in verdicts:
            return verdict
    return NOT_COMPARED


def false_alarms(like: Sequence[Record], max_regression: float) -> tuple[int, int]:
    """How often two runs of one build differ by the same verdict that changes are found with.

    Args:
        like: records that may be compared, oldest first.

    Returns:
        The pairs that came out as better or worse, and all pairs.
    """
    pairs = [
        pair for group in _repeats(like[-_A_A_RUNS:]) for pair in itertools.combinations(group, 2)
    ]
    alarms = 0
    for old, new in pairs:
        others = [record for record in like if record is not old and record is not new]
        alarms += compare(new, old, others, max_regression).verdict in (BETTER, WORSE)
    return alarms, len(pairs)


def values(record: Record, figure: Figure) -> list[float]:
    """A figure's value in each run; runs that have none, for nothing was answered, are left out."""
    found = [_value(phase, figure) for phase in record.of(figure.profile, figure.kind)]
    return [value for value in found if value > 0]


def _value(phase: Phase, figure: Figure) -> float:
    """A figure of one phase, 0 where nothing was answered."""
    if figure.name == TYPICAL:
        medians = [path["latency_ms"]["p50"] for path in phase.paths.values()]
        return statistics.geometric_mean(medians) if all(medians) else 0.0
    if figure.path:
        of = phase.paths.get(figure.path, {"rate": 0.0, "latency_ms": {}})
        return float(of["rate"] if figure.name == "rate" else of["latency_ms"].get(figure.name, 0))
    return phase.rate if figure.name == "rate" else phase.latency_ms[figure.name]


def _deciding(record: Record) -> list[Figure]:
    return [
        Figure(profile, kind, name)
        for profile in record.profiles()
        for kind, name in ((BURST, "rate"), (LONG, TYPICAL))
    ]


def _explaining(record: Record) -> list[Figure]:
    figures = []
    for profile in record.profiles():
        figures += [Figure(profile, LONG, name) for name in ("p50", "p90", "p95", "p99", "p999")]
        phases = record.of(profile, LONG)
        figures += [
            Figure(profile, LONG, name, path)
            for path in (phases[0].paths if phases else ())
            for name in ("p50", "p99")
        ]
    return figures


def _changes(
    figures: Sequence[Figure],
    record: Record,
    baseline: Record,
    like: Sequence[Record],
    max_regression: float,
) -> tuple[Change, ...]:
    """How figures differ, where both records have them."""
    confidence = 1 - ERROR_RATE / max(1, len(_deciding(record)))
    repeated = _repeats(like)
    changes = [
        _change(figure, record, baseline, repeated, confidence, max_regression)
        for figure in figures
    ]
    return tuple(change for change in changes if change is not None)


def _change(
    figure: Figure,
    record: Record,
    baseline: Record,
    repeated: Sequence[Sequence[Record]],
    confidence: float,
    max_regression: float,
) -> Change | None:
    """How one figure differs; None if one of the records does not have it."""
    new, old = (_logarithms(item, figure) for item in (record, baseline))
    if not new or not old:
        return None
    difference = statistics.fmean(new) - statistics.fmean(old)
    half = _half_width(figure, new, old, repeated, confidence)
    change, low, high = (math.expm1(x) for x in (difference, difference - half, difference + half))
    detectable = math.expm1(half)
    return Change(
        figure=figure,
        before=math.exp(statistics.fmean(old)),
        after=math.exp(statistics.fmean(new)),
        change=change,
        low=low,
        high=high,
        detectable=detectable,
        verdict=_verdict(figure, low, high, detectable, max_regression),
    )


def _verdict(
    figure: Figure, low: float, high: float, detectable: float, max_regression: float
) -> str:
    """A change is seen when its interval leaves out 0. With an interval so wide that a change of
    `max_regression` could hide in it, only one that lies beyond that as a whole is."""
    least = max_regression if detectable > max_regression else 0.0
    if low > least:
        return BETTER if figure.more_is_better else WORSE
    if high < -least:
        return WORSE if figure.more_is_better else BETTER
    return TOO_NOISY if least else SAME


def _half_width(
    figure: Figure,
    new: list[float],
    old: list[float],
    repeated: Sequence[Sequence[Record]],
    confidence: float,
) -> float:
    """Half of the interval of a difference of two means of logarithms."""
    from scipy.special import stdtrit  # Student's quantile; scipy.stats takes a second to import

    tail = (1 + confidence) / 2
    groups = [
        [statistics.fmean(x) for r in group if (x := _logarithms(r, figure))] for group in repeated
    ]
    degrees = sum(len(group) - 1 for group in groups if group)
    if degrees >= REPEATS_NEEDED:
        squares = sum(statistics.variance(g) * (len(g) - 1) for g in groups if len(g) > 1)
        deviation = max(_RESOLUTION, math.sqrt(squares / degrees))
        return float(stdtrit(degrees, tail)) * deviation * math.sqrt(2)
    if min(len(new), len(old)) < 2:
        return math.inf
    errors = [max(_RESOLUTION**2, statistics.variance(x)) / len(x) for x in (new, old)]
    welch = sum(errors) ** 2 / sum(
        error**2 / (len(x) - 1) for error, x in zip(errors, (new, old), strict=True)
    )
    return float(stdtrit(welch, tail)) * math.sqrt(sum(errors))


def _logarithms(record: Record, figure: Figure) -> list[float]:
    return [math.log(value) for value in values(record, figure)]


def _repeats(like: Sequence[Record]) -> list[list[Record]]:
    """Records of the same firmware and files, where there are several."""
    groups: dict[tuple[str, str], list[Record]] = {}
    for record in like:
        runs = (record.device.get("build", ""), record.device.get("files", ""))
        groups.setdefault(runs, []).append(record)
    return [group for group in groups.values() if len(group) > 1]
