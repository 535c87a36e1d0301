# SPDX-License-Identifier: MIT
"""The folder of runs: what is kept, what is compared, and what is left alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from performance_records import Series
from viper.base.errors import UserError
from viper.performance.command import judge
from viper.performance.history import LATEST, History, unlike
from viper.performance.record import FAILED, PARTIAL, Record
from viper.performance.report import Outcome, alarms_in_words, words
from viper.performance.request import Request
from viper.performance.run_lock import FILE, RunLock


def judged(record: Record, folder: Path, **request: object) -> Outcome:
    return judge(record, History(folder), [], Request("host", history=folder, **request))  # type: ignore[arg-type]


def keep(folder: Path, *records: Record) -> None:
    for record in records:
        History(folder).save(record, "text")


def tags(folder: Path) -> list[str]:
    return [record.tag for record in History(folder).records]


def test_a_complete_run_is_kept_and_becomes_the_latest(tmp_path: Path) -> None:
    record = Series(1, 0.01).record(tag="baseline")
    path = History(tmp_path).save(record, "what people read")
    assert path.name == "perf_20260131T000100Z_baseline.json"
    assert path.with_suffix(".md").read_text() == "what people read"
    assert json.loads((tmp_path / LATEST).read_text()) == json.loads(path.read_text())
    assert History(tmp_path).records == [record]


def test_two_runs_of_one_second_are_both_kept(tmp_path: Path) -> None:
    record = Series(1, 0.01).record()
    keep(tmp_path, record, record)
    assert len(list(tmp_path.glob("perf_*.json"))) == 2


@pytest.mark.parametrize("state", [PARTIAL, FAILED])
def test_a_run_that_is_not_complete_is_kept_and_compared_with_nothing(
    tmp_path: Path, state: str
) -> None:
    series = Series(1, 0.01)
    keep(tmp_path, series.record(tag="good"))
    latest = (tmp_path / LATEST).read_bytes()
    broken = series.record(slower=9.0, tag="broken", state=state, reason="the device has gone")
    outcome = judged(broken, tmp_path)
    assert words(outcome) == [f"{state}: the device has gone; it is compared with nothing"]
    assert not outcome.failed
    keep(tmp_path, broken)
    assert (tmp_path / LATEST).read_bytes() == latest
    assert len(list(tmp_path.glob("perf_*_broken.json"))) == 1
    after = judged(series.record(), tmp_path)
    assert after.baseline.record is not None and after.baseline.record.tag == "good"


@pytest.mark.parametrize("damaged", [LATEST, "perf_20260131T000100Z_run.json"])
@pytest.mark.parametrize("content", ["", "{", "[]", '{"schema": 1}', '{"schema": 99}'])
def test_history_that_cannot_be_read_is_said_and_kept(
    tmp_path: Path, damaged: str, content: str
) -> None:
    keep(tmp_path, Series(1, 0.01).record())
    (tmp_path / damaged).write_text(content)
    with pytest.raises(UserError, match=damaged):
        History(tmp_path)
    assert (tmp_path / damaged).read_text() == content


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"device": {"mac": "02ffffffffff", "build": "b1"}}, "another device (02ffffffffff)"),
        ({"host": {"name": "laptop"}}, "measured by another computer (laptop)"),
        ({"runs": 4}, "runs was 4, not 3"),
        ({"profiles": ("light", "heavy")}, "other profiles (heavy)"),
        ({"profiles": ("heavy",)}, "other profiles (light, heavy)"),
    ],
)
def test_only_like_is_compared_with_like(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    series = Series(1, 0.01)
    other = series.record(tag="other", **change)  # type: ignore[arg-type]
    keep(tmp_path, other)
    new = series.record()
    assert unlike(new, other) == [said]
    lines = words(judged(new, tmp_path))
    assert lines[0] == f"not compared with {other.label}: {said}"
    assert "nothing to compare with yet" in lines[1]


def test_the_last_run_like_it_is_found_behind_one_that_is_not(tmp_path: Path) -> None:
    series = Series(1, 0.01)
    keep(tmp_path, series.record(tag="like"), series.record(tag="unlike", runs=5))
    outcome = judged(series.record(), tmp_path)
    assert outcome.baseline.record is not None and outcome.baseline.record.tag == "like"
    assert "runs was 5, not 3" in words(outcome)[0]


def test_a_baseline_is_found_by_its_tag(tmp_path: Path) -> None:
    series = Series(1, 0.01)
    keep(tmp_path, series.record(tag="v1", slower=0.5), series.record(tag="v2"))
    outcome = judged(series.record(), tmp_path, baseline="v1")
    assert outcome.baseline.record is not None and outcome.baseline.record.tag == "v1"
    assert outcome.comparison.verdict == "better"
    with pytest.raises(UserError, match=r"no run is tagged 'v3'\s.* has v1, v2"):
        History(tmp_path).require("v3")


def test_a_drift_too_slow_for_each_single_run_is_seen(tmp_path: Path) -> None:
    series = Series(1, 0.004)
    said = []
    for number in range(12):
        record = series.record(slower=0.012 * number, build=f"b{number}")
        outcome = judged(record, tmp_path)
        said.append((outcome.comparison.beyond, outcome.drifted is not None))
        keep(tmp_path, record)
    assert not any(beyond for beyond, _ in said)  # no run is far worse than the one before it
    assert not said[4][1] and said[-1][1]
    assert any(line.startswith("slow drift: worse than run of") for line in words(outcome))


def test_the_rate_of_false_alarms_is_told(tmp_path: Path) -> None:
    series = Series(1, 0.01)
    keep(tmp_path, series.record())
    text = words(judged(series.record(), tmp_path))[-1]
    assert text.startswith("A/A false alarms: 0.0% (0 of 1 pairs")
    assert "unknown" in alarms_in_words((0, 0))


def test_one_run_at_a_time(tmp_path: Path) -> None:
    refusal = f"another run goes on .process {os.getpid()}"
    with RunLock(tmp_path), pytest.raises(UserError, match=refusal), RunLock(tmp_path):
        pass
    assert not (tmp_path / FILE).exists()


def test_the_lock_of_a_dead_process_is_cleared(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (tmp_path / FILE).write_text(str(ended.pid))
    with RunLock(tmp_path):
        assert (tmp_path / FILE).read_text() == str(os.getpid())
