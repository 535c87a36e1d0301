# SPDX-License-Identifier: MIT
"""What people read of a run of perf: its words, its text, and where its charts draw."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Sequence
from xml.etree import ElementTree

import pytest
from performance_records import Series
from viper.performance import charts, report
from viper.performance.comparison import SAME, WORSE, Change, Figure
from viper.performance.record import BURST, LONG, Record

LEFT, RIGHT, TOP, BOTTOM = 44.0, 428.0, 12.0, 186.0  # of a chart's frame, in its own units


def change(**fields: object) -> Change:
    of = {
        "figure": Figure("light", BURST, "rate"),
        "before": 812.0,
        "after": 790.4,
        "change": -0.0266,
        "low": -0.04,
        "high": -0.011,
        "detectable": 0.019,
        "verdict": WORSE,
    }
    return Change(**{**of, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (
            change(),
            "light burst rate: 812 → 790/s, 2.7% less (-4.0% to -1.1%; 1.9% would be seen): worse",
        ),
        (
            change(
                figure=Figure("light", LONG, "p50", "/a"),
                before=4.0,
                after=4.125,
                change=0.03125,
                detectable=math.inf,
                verdict=SAME,
            ),
            "light long p50 of /a: 4.00 → 4.12 ms, 3.1% more "
            "(one run tells nothing of the noise): same",
        ),
    ],
)
def test_a_change_is_a_sentence(made: Change, words: str) -> None:
    assert report.change_in_words(made) == words


def with_bottlenecks(record: Record, *reasons: str) -> Record:
    """The record, in which the load generator was too slow in so many bursts."""
    left = list(reasons)
    phases = []
    for phase in record.phases:
        reason = left.pop(0) if phase.kind == BURST and left else ""
        generator = {**phase.generator, "bottleneck": reason}
        phases.append(dataclasses.replace(phase, generator=generator))
    return dataclasses.replace(record, phases=phases)


def test_a_load_generator_that_was_too_slow_is_told_by_kind_of_phase() -> None:
    record = Series(1, 0.01).record(profiles=("light",))
    assert report.bottlenecks(record) == []
    assert report.bottlenecks(with_bottlenecks(record, "", "97 % of a core", "late")) == [
        "light burst: the load generator was the bottleneck in 2 of 3 runs (97 % of a core): "
        "the device can do more than this shows"
    ]


@pytest.mark.parametrize(
    ("alarms", "words"),
    [
        ((0, 0), "A/A false alarms: unknown, as no build has been measured twice yet"),
        (
            (1, 8),
            "A/A false alarms: 12.5% (1 of 8 pairs of runs of one build came out as different; "
            "5 % are allowed for)",
        ),
    ],
)
def test_false_alarms_are_counted(alarms: tuple[int, int], words: str) -> None:
    assert report.alarms_in_words(alarms) == words


def test_what_is_not_known_of_a_run_is_said() -> None:
    record = Series(1, 0.01).record(profiles=("light",))
    device = {"mac": "1a2b", "version": "0.2.0", "build": "3c", "files": "4d"}
    known = dataclasses.replace(record, device=device, revision="5e")
    told = dict(report.facts(known))
    assert told["device"] == f"1a2b at {record.address}"
    assert (told["build"], told["its files"], told["source"]) == ("0.2.0 3c", "4d", "5e")
    told = dict(report.facts(dataclasses.replace(record, device={}, revision="")))
    assert told["device"] == f"MAC unknown at {record.address}"
    assert (told["build"], told["its files"], told["source"]) == ("", "unknown", "no git")


def drawn(markup: str) -> list[tuple[str, list[tuple[float, float]]]]:
    """Each line of a chart: its class, and its points."""
    svg = ElementTree.fromstring(markup).find("svg")
    assert svg is not None
    found = []
    for path in svg.iter("path"):
        numbers = re.findall(r"[ML]([\d.-]+) ([\d.-]+)", path.attrib["d"])
        found.append((path.attrib["class"], [(float(x), float(y)) for x, y in numbers]))
    return [(kind, points) for kind, points in found if kind.startswith("line")]


def texts(markup: str) -> dict[str, tuple[float, float]]:
    """The words of a chart's scales, and where they stand."""
    elements = ElementTree.fromstring(markup).iter("text")
    return {e.text or "": (float(e.attrib["x"]), float(e.attrib["y"])) for e in elements}


def test_a_chart_of_rates_fills_its_frame() -> None:
    runs = [{"rate": rate, "build": f"b{rate}", "tag": "t", "started": "s"} for rate in (500, 1000)]
    markup = charts.history(runs)
    ((kind, points),) = drawn(markup)
    assert kind == "line s0"
    width, height = RIGHT - LEFT, BOTTOM - TOP
    assert points == [(LEFT + width / 4, TOP + height / 2), (LEFT + 3 * width / 4, TOP)]
    assert texts(markup)["1k"] == (LEFT - 6, TOP + 4)
    assert texts(markup)["500"] == (LEFT - 6, TOP + height / 2 + 4)
    assert texts(markup)["b1000"][0] == LEFT + 3 * width / 4


def test_a_burst_is_drawn_over_its_whole_length() -> None:
    record = Series(1, 0.01).record(runs=1)
    phase = dataclasses.replace(
        record.of("light", BURST)[0],
        timeline={"window_s": 0.5, "counts": [100, 50, 0, 100], "p99_ms": [1.0] * 4},
    )
    markup = charts.timelines([phase])
    ((_, points),) = drawn(markup)
    width = RIGHT - LEFT
    assert [x for x, _ in points] == [LEFT + width * part for part in (0.125, 0.375, 0.625, 0.875)]
    assert [y for _, y in points] == [TOP, (TOP + BOTTOM) / 2, BOTTOM, TOP]
    assert {"200", "100", "0.0 s", "1.0 s", "2.0 s"} == set(texts(markup))


def test_latencies_are_drawn_by_nines_and_powers_of_ten() -> None:
    curve: Sequence[tuple[float, float]] = [(0.0, 1.0), (90.0, 10.0), (99.99, 100.0)]
    markup = charts.percentiles({"this run": curve, "baseline": []})
    points = drawn(markup)[0][1]
    width = RIGHT - LEFT
    assert points == [(LEFT, BOTTOM), (LEFT + width / 4, (TOP + BOTTOM) / 2), (RIGHT, TOP)]
    places = texts(markup)
    assert [places[mark][0] for mark in ("90 %", "99 %", "99.9 %", "99.99 %")] == [
        LEFT + width * part for part in (0.25, 0.5, 0.75, 1)
    ]
    assert [places[mark][1] for mark in ("100", "10", "1")] == [TOP + 4, 103, BOTTOM + 4]
    assert "this run" in markup and "baseline" in markup


def test_nothing_is_drawn_of_nothing() -> None:
    assert charts.history([]) == charts.percentiles({}) == charts.timelines([]) == ""
