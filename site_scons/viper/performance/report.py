# SPDX-License-Identifier: MIT
"""What people read of a run: words for the terminal and perf_….md, and the page perf.html."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from viper.base import atomic_file
from viper.performance.comparison import WORSE, Change, Comparison, worst_paths
from viper.performance.history import Baseline
from viper.performance.latency import decode, histogram
from viper.performance.record import BURST, COMPLETE, LONG, Phase, Record, latency, memory_drop

_TEMPLATE = "report.html.j2"
_NINES = (0.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.5, 99.9, 99.95, 99.99)  # of the percentile plot
_HISTORY = 30  # runs that the page shows
_PATHS_NAMED = 2


@dataclass(frozen=True)
class Outcome:
    """A run with all that is said of it.

    Attributes:
        record: the run.
        baseline: what it is compared with, or why with nothing.
        comparison: what changed.
        explaining: the same of single paths and percentiles.
        broken: the limits that it breaks, one line each.
        like: the runs that it may be compared with, oldest first, itself last.
        drifted: how it differs from the oldest of them, where that is worse and the last is not.
        alarms: pairs of runs of one build that came out as different, and all such pairs.
        max_regression: 0.1 for 10 %.
    """

    record: Record
    baseline: Baseline
    comparison: Comparison
    explaining: Sequence[Change]
    broken: Sequence[str]
    like: Sequence[Record]
    drifted: Comparison | None
    alarms: tuple[int, int]
    max_regression: float

    @property
    def failed(self) -> bool:
        """Whether it is worse than it may be: exit status 1."""
        return bool(self.comparison.beyond or self.broken)


def words(outcome: Outcome) -> list[str]:
    """The verdict and its reasons, one line each."""
    record, comparison = outcome.record, outcome.comparison
    if record.state != COMPLETE:
        return [f"{record.state}: {record.reason}; it is compared with nothing"]
    lines = list(outcome.baseline.why)
    against = outcome.baseline.record
    if against is None:
        lines.append(
            "nothing to compare with yet: the next run like this is compared with this one"
        )
    else:
        lines.append(f"{comparison.verdict}, compared with {against.label}{_build(against)}")
        lines += [change_in_words(change) for change in comparison.deciding]
        worse = [c.figure.profile for c in comparison.deciding if c.verdict == WORSE]
        for profile in dict.fromkeys(worse):
            lines += _paths_in_words(outcome, profile)
        lines.append(f"uncertainty from {comparison.source}")
    if outcome.drifted is not None and len(outcome.like) > 1:
        first = outcome.like[0]
        lines.append(f"slow drift: {outcome.drifted.verdict} than {first.label}")
        lines += [change_in_words(c) for c in outcome.drifted.deciding if c.verdict == WORSE]
    lines += [f"over the limit: {line}" for line in outcome.broken]
    lines += bottlenecks(record)
    lines.append(alarms_in_words(outcome.alarms))
    return lines


def change_in_words(change: Change) -> str:
    """`python_light burst rate: 812 → 790/s, 2.7 % less (± 1.9 %): worse`."""
    figure = change.figure
    if figure.more_is_better:
        values = f"{change.before:,.0f} → {change.after:,.0f}{figure.unit}"
    else:
        values = f"{change.before:.2f} → {change.after:.2f} {figure.unit}"
    moved = f"{abs(change.change):.1%} {'more' if change.change > 0 else 'less'}"
    seen = (
        "one run tells nothing of the noise"
        if math.isinf(change.detectable)
        else f"{change.low:+.1%} to {change.high:+.1%}; {change.detectable:.1%} would be seen"
    )
    return f"{figure.profile} {figure.words}: {values}, {moved} ({seen}): {change.verdict}"


def _paths_in_words(outcome: Outcome, profile: str) -> list[str]:
    """The paths that a change for the worse comes from."""
    return [
        f"  mostly {change.figure.path}: p50 {change.before:.2f} → {change.after:.2f} ms"
        for change in worst_paths(outcome.explaining, profile)[:_PATHS_NAMED]
    ]


def bottlenecks(record: Record) -> list[str]:
    """Where the load generator was slower than the device, one line for each kind of phase."""
    lines = []
    for profile in record.profiles():
        for kind in (BURST, LONG):
            reasons = [p.generator["bottleneck"] for p in record.of(profile, kind)]
            reasons = [reason for reason in reasons if reason]
            if reasons:
                lines.append(
                    f"{profile} {kind}: the load generator was the bottleneck in "
                    f"{len(reasons)} of {len(record.of(profile, kind))} runs ({reasons[0]}): "
                    f"the device can do more than this shows"
                )
    return lines


def alarms_in_words(alarms: tuple[int, int]) -> str:
    """The false-alarm rate, measured on this computer and this device."""
    wrong, pairs = alarms
    if not pairs:
        return "A/A false alarms: unknown, as no build has been measured twice yet"
    return (
        f"A/A false alarms: {wrong / pairs:.1%} ({wrong} of {pairs} pairs of runs of one build "
        f"came out as different; 5 % are allowed for)"
    )


def markdown(outcome: Outcome) -> str:
    """The run as a text."""
    record = outcome.record
    lines = [f"# {record.label}", "", *[f"- {line.strip()}" for line in words(outcome)], ""]
    lines += [
        "| | | |",
        "| --- | --- | --- |",
        *[f"| {name} | {value} | |" for name, value in facts(record)],
        "",
        "| profile | run | requests | errors | rate /s | p50 | p90 | p95 | p99 | p99.9 ms |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for phase in record.phases:
        latency_ms = " | ".join(f"{phase.latency_ms[p]:.2f}" for p in PERCENTILE_COLUMNS)
        lines.append(
            f"| {phase.profile} | {phase.run} {phase.kind} | {phase.requests} "
            f"| {sum(phase.errors.values())} | {phase.rate:.1f} | {latency_ms} |"
        )
    return "\n".join([*lines, ""])


PERCENTILE_COLUMNS = ("p50", "p90", "p95", "p99", "p999")


def facts(record: Record) -> list[tuple[str, str]]:
    """What a run was of."""
    device, parameters = record.device, record.parameters
    return [
        ("device", f"{device.get('mac') or 'MAC unknown'} at {record.address}"),
        ("build", f"{device.get('version', '')} {device.get('build', '')}".strip()),
        ("its files", device.get("files") or "unknown"),
        ("source", record.revision or "no git"),
        (
            "measured",
            f"{record.started}, {parameters['runs']} runs of {parameters['burst_s']:g} s burst and "
            f"{parameters['long_s']:g} s long, {record.duration_s:.0f} s in all",
        ),
        ("by", f"{record.host['name']}, {record.host['system']}, Python {record.host['python']}"),
    ]


def page(outcome: Outcome) -> str:
    """The run as one page that needs nothing else."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from viper.performance import charts

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    against = outcome.baseline.record
    record = outcome.record
    profiles = [
        {
            "name": name,
            "changes": [c for c in outcome.comparison.deciding if c.figure.profile == name],
            "explaining": [c for c in outcome.explaining if c.figure.profile == name],
            "phases": [p for p in record.phases if p.profile == name],
            "percentiles": charts.percentiles(_curves(record, against, name)),
            "timeline": charts.timelines(record.of(name, BURST)),
            "history": charts.history(_history(outcome, name)),
            "paths": _paths(record, name),
            "memory": memory_drop([p for p in record.phases if p.profile == name]),
            "counters": _counters(record, name),
        }
        for name in record.profiles()
    ]
    return environment.get_template(_TEMPLATE).render(
        outcome=outcome,
        record=record,
        verdict=outcome.comparison.verdict if record.state == COMPLETE else record.state,
        words=words(outcome),
        facts=facts(record),
        profiles=profiles,
        columns=PERCENTILE_COLUMNS,
        change_in_words=change_in_words,
    )


def write_page(path: Path, outcome: Outcome) -> None:
    """Write the page of a run, whole or not at all, and the folders that it needs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_file.write(path, page(outcome).encode())


def _curves(
    record: Record, against: Record | None, profile: str
) -> dict[str, list[tuple[float, float]]]:
    """Percentile and latency of the long phase, all runs together: now, and of the baseline."""
    curves = {}
    for name, source in (("this run", record), ("baseline", against)):
        phases = source.of(profile, LONG) if source else []
        if phases:
            together = histogram()
            for phase in phases:
                together.add(decode(phase.histogram))
            curves[name] = [(at, together.get_value_at_percentile(at) / 1000) for at in _NINES]
    return curves


def _history(outcome: Outcome, profile: str) -> list[dict[str, Any]]:
    """The deciding figures of the runs like this one, oldest first."""
    points = []
    for record in outcome.like[-_HISTORY:]:
        rates = [phase.rate for phase in record.of(profile, BURST)]
        if rates:
            points.append(
                {
                    "build": record.device.get("build", "")[:8],
                    "tag": record.tag,
                    "started": record.started,
                    "rate": statistics.fmean(rates),
                    "p50": latency(record.of(profile, LONG), "p50"),
                }
            )
    return points


def _paths(record: Record, profile: str) -> list[dict[str, Any]]:
    """Each path's figures in the long phase, by the medians of the runs."""
    phases = record.of(profile, LONG)
    rows = []
    for path in phases[0].paths if phases else ():
        of = [phase.paths[path] for phase in phases]
        rows.append(
            {
                "path": path,
                "requests": sum(item["requests"] for item in of),
                "errors": sum(sum(item["errors"].values()) for item in of),
                "rate": statistics.median(item["rate"] for item in of),
                "latency_ms": {
                    name: statistics.median(item["latency_ms"][name] for item in of)
                    for name in PERCENTILE_COLUMNS
                },
            }
        )
    return rows


def _counters(record: Record, profile: str) -> dict[str, float]:
    """What the server counted over a profile, where it counted anything."""
    phases: list[Phase] = [p for p in record.phases if p.profile == profile]
    before, after = phases[0].before["counters"], phases[-1].after["counters"]
    grown = {name: after[name] - before.get(name, 0.0) for name in after if "_total" in name}
    marks = {name: value for name, value in after.items() if "high_water" in name}
    return {name: value for name, value in {**grown, **marks}.items() if value}


def _build(record: Record) -> str:
    build = record.device.get("build", "")
    return f", build {build}" if build else ""
