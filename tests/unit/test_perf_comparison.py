# SPDX-License-Identifier: MIT
"""Verdicts over series of runs whose changes and noise are known."""

from __future__ import annotations

import pytest
from performance_records import Series
from viper.performance import comparison
from viper.performance.comparison import BETTER, SAME, TOO_NOISY, WORSE, compare, worst_paths
from viper.performance.record import Record

ALLOWED = 0.1
PAIRS = 200


def verdicts(series: Series, slower: float, **record: object) -> list[str]:
    """Of pairs of records, the second of which is slower."""
    return [
        compare(series.record(slower, **record), series.record(**record), [], ALLOWED).verdict  # type: ignore[arg-type]
        for _ in range(PAIRS)
    ]


@pytest.mark.parametrize("noise", [0.002, 0.05])
@pytest.mark.parametrize("profiles", [("light",), ("static", "light", "heavy")])
def test_noise_alone_is_hardly_ever_a_change(noise: float, profiles: tuple[str, ...]) -> None:
    found = verdicts(Series(1, noise), 0.0, profiles=profiles)
    assert sum(verdict in (BETTER, WORSE) for verdict in found) < 0.05 * PAIRS


@pytest.mark.parametrize("profiles", [("light",), ("static", "light", "heavy")])
def test_five_per_cent_are_seen_nine_times_in_ten(profiles: tuple[str, ...]) -> None:
    found = verdicts(Series(2, 0.01), 0.05, profiles=profiles)
    assert found.count(WORSE) >= 0.9 * PAIRS
    assert BETTER not in found


def test_an_improvement_is_better_and_never_fails() -> None:
    series = Series(3, 0.01)
    old = series.record()
    found = compare(series.record(slower=-0.3), old, [], ALLOWED)
    assert found.verdict == BETTER
    assert not found.beyond


def test_a_small_regression_is_worse_and_within_what_is_allowed() -> None:
    series = Series(4, 0.002)
    old = series.record()
    found = compare(series.record(slower=0.05), old, [], ALLOWED)
    assert found.verdict == WORSE
    assert not found.beyond
    assert [change.figure.words for change in compare(series.record(0.2), old, [], 0.1).beyond] == [
        "burst rate",
        "long typical latency",
    ]


@pytest.mark.parametrize("slower", [0.0, 0.05])
def test_noise_that_could_hide_what_matters_is_said(slower: float) -> None:
    series = Series(5, 0.2)
    old = series.record()
    found = compare(series.record(slower), old, [], ALLOWED)
    assert found.verdict == TOO_NOISY
    assert all(change.detectable > ALLOWED for change in found.deciding)


def test_a_change_far_beyond_the_noise_is_seen_all_the_same() -> None:
    series = Series(6, 0.06)
    old = series.record()
    found = compare(series.record(slower=3.0), old, [], ALLOWED)
    assert found.deciding[0].detectable > ALLOWED
    assert found.verdict == WORSE


def test_one_run_each_tells_nothing() -> None:
    series = Series(7, 0.01)
    old = series.record(runs=1)
    assert compare(series.record(runs=1, slower=0.5), old, [], ALLOWED).verdict == TOO_NOISY


def test_one_slow_path_is_worse_and_is_named() -> None:
    series = Series(8, 0.01)
    old = series.record()
    new = series.record(slow_path=("/b", 1.0))
    assert compare(new, old, [], ALLOWED).verdict == WORSE
    explaining = comparison.explain(new, old, [], ALLOWED)
    assert [change.figure.path for change in worst_paths(explaining, "light")] == ["/b"]
    verdicts = {c.figure.path: c.verdict for c in explaining if c.figure.name == "p50"}
    assert verdicts == {"": SAME, "/a": SAME, "/b": WORSE}


def wandering(seed: int, count: int) -> list[Record]:
    """Repeated runs of one build, each of which is calm in itself."""
    series = Series(seed, noise=0.002, wander=0.03)
    return [series.record() for _ in range(count)]


def test_whole_runs_that_wander_are_known_once_they_were_repeated() -> None:
    alarms = {0: 0, 6: 0}
    for seed in range(60):
        *before, old, new = wandering(seed, 8)
        for known in alarms:
            verdict = compare(new, old, before[:known], ALLOWED).verdict
            alarms[known] += verdict in (BETTER, WORSE)
    assert alarms[0] > 15  # Welch sees only what varies within a run
    assert alarms[6] <= 3


def test_false_alarms_are_counted_over_runs_of_one_build() -> None:
    series = Series(9, 0.01)
    records = [series.record() for _ in range(6)]
    alarms, pairs = comparison.false_alarms(records, ALLOWED)
    assert pairs == 15
    assert alarms <= 1
    other = series.record(slower=0.5, build="b2")
    assert comparison.false_alarms([*records, other], ALLOWED) == (alarms, pairs)
    # Two that differ although the build is the same: that is what a false alarm is.
    assert comparison.false_alarms([records[0], series.record(0.5)], ALLOWED) == (1, 1)
