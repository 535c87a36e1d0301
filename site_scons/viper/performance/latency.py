# SPDX-License-Identifier: MIT
"""Latencies of one kind of request: an HDR histogram, and how they changed over the phase."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field

from hdrh.histogram import HdrHistogram

LONGEST_US = 120_000_000  # what the histogram can hold
_DIGITS = 3  # significant digits: a value is exact to a thousandth
PERCENTILES = {"p50": 50.0, "p90": 90.0, "p95": 95.0, "p99": 99.0, "p999": 99.9}


def histogram() -> HdrHistogram:
    """An empty one, for microseconds."""
    return HdrHistogram(1, LONGEST_US, _DIGITS)


def decode(text: str) -> HdrHistogram:
    """A histogram from its text in a record."""
    return HdrHistogram.decode(text.encode())


def milliseconds(of: HdrHistogram) -> dict[str, float]:
    """Its percentiles by name, and the longest; all 0 for an empty one."""
    shown = {name: of.get_value_at_percentile(at) / 1000 for name, at in PERCENTILES.items()}
    return {**shown, "max": of.get_max_value() / 1000}


@dataclass
class Latencies:
    """What was asked for, and how long each answer took."""

    histogram: HdrHistogram = field(default_factory=histogram)
    requests: int = 0  # answered as they should be
    errors: dict[str, int] = field(default_factory=dict)  # counts by what went wrong

    def answered(self, seconds: float) -> None:
        """Count an answer and the time that it took, in microseconds from 1 to LONGEST_US."""
        self.requests += 1
        self.histogram.record_value(min(LONGEST_US, max(1, round(seconds * 1e6))))

    def failed(self, why: str) -> None:
        """Count a request without a good answer, by its reason."""
        self.errors[why] = self.errors.get(why, 0) + 1


class Timeline:
    """How many answers came, and the p99 of their latency, in each of a phase's windows.

    Args:
        window_s: length of one window.
    """

    def __init__(self, window_s: float) -> None:
        self.window_s = window_s
        self.counts: list[int] = []
        self.p99_ms: list[float] = []
        self._open = histogram()

    def answered(self, at_s: float, seconds: float) -> None:
        """An answer that came `at_s` after the phase's start; the clock must not go back."""
        self._close_until(at_s)
        self._open.record_value(min(LONGEST_US, max(1, round(seconds * 1e6))))

    def end(self, at_s: float) -> None:
        """Close the windows that are over by then; what is left is no whole window."""
        self._close_until(at_s)

    def _close_until(self, at_s: float) -> None:
        while (len(self.counts) + 1) * self.window_s <= at_s:
            self.counts.append(self._open.get_total_count())
            self.p99_ms.append(self._open.get_value_at_percentile(99) / 1000)
            self._open.reset()

    def drift(self) -> float | None:
        """The p99 of the last third over that of the first, by medians of windows.

        1 means that the tail stays as it is, None that there are too few windows with answers.
        """
        seen = [p99 for p99, count in zip(self.p99_ms, self.counts, strict=True) if count]
        third = len(seen) // 3
        if third == 0:
            return None
        return statistics.median(seen[-third:]) / statistics.median(seen[:third])
