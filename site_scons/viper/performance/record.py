# SPDX-License-Identifier: MIT
"""One run as a record: what was measured, on what, and what came of it. JSON on disk."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from viper.performance.latency import milliseconds
from viper.performance.load import Load
from viper.performance.target import Identity, Snapshot

SCHEMA = 1
COMPLETE, PARTIAL, FAILED = "complete", "partial", "failed"
BURST, LONG = "burst", "long"


@dataclass(frozen=True)
class Phase:
    """One phase of one run of a profile. Latencies are milliseconds, memory is bytes."""

    profile: str
    run: int  # from 1
    kind: str  # BURST or LONG
    mode: str  # "closed loop", or "open loop, N/s"
    requests: int
    errors: dict[str, int]  # by what went wrong
    unsent: int  # of them, due in an open loop but never sent
    elapsed_s: float
    rate: float  # answers a second
    latency_ms: dict[str, float]  # p50, p90, p95, p99, p999, max
    drift: float | None  # of the tail: the last third's p99 over the first third's
    paths: dict[str, dict[str, Any]]  # requests, errors, rate and latency_ms of each
    histogram: str  # HdrHistogram's own text, of microseconds
    timeline: dict[str, Any]  # window_s, and each window's counts and p99_ms
    before: dict[str, Any]  # free: bytes by heap; counters: series of /metrics
    after: dict[str, Any]
    generator: dict[str, Any]  # cpu of one core, lag_p99_ms, bottleneck: why, or ""


@dataclass
class Record:
    """One run of the command."""

    tag: str
    started: str  # UTC, 2026-01-31T12:00:00Z
    address: str
    parameters: dict[str, Any]  # burst_s, long_s, runs, profiles: what a comparison needs alike
    host: dict[str, str]  # the computer that measured
    revision: str  # git's
    device: dict[str, str] = field(default_factory=dict)  # mac, build, version, ring_memory
    state: str = PARTIAL
    reason: str = ""  # why it is not complete
    duration_s: float = 0.0
    phases: list[Phase] = field(default_factory=list)
    schema: int = SCHEMA

    @property
    def label(self) -> str:
        """What people know it by."""
        return f"{self.tag} of {self.started}"

    def profiles(self) -> list[str]:
        """Names in the order of measuring."""
        return list(dict.fromkeys(phase.profile for phase in self.phases))

    def of(self, profile: str, kind: str) -> list[Phase]:
        """A profile's phases of one kind, one for each run."""
        return [p for p in self.phases if p.profile == profile and p.kind == kind]

    def document(self) -> dict[str, Any]:
        """As it stands in a file."""
        return asdict(self)


def from_document(document: Any) -> Record:
    """A record from its file.

    Raises:
        ValueError: it is none, or of another schema.
    """
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise ValueError("it is no record of this version")
    try:
        phases = [Phase(**phase) for phase in document["phases"]]
        return Record(**{**document, "phases": phases})
    except (TypeError, KeyError) as problem:
        raise ValueError(f"it is incomplete: {problem}") from None


def phase(
    profile: str, run: int, kind: str, load: Load, before: Snapshot, after: Snapshot
) -> Phase:
    """The record of a phase that has been carried out."""
    plan = load.plan
    return Phase(
        profile=profile,
        run=run,
        kind=kind,
        mode=f"open loop, {plan.rate:g}/s" if plan.rate else "closed loop",
        requests=load.all.requests,
        errors=load.all.errors,
        unsent=load.unsent,
        elapsed_s=load.elapsed_s,
        rate=load.rate,
        latency_ms=milliseconds(load.all.histogram),
        drift=load.timeline.drift(),
        paths={
            path: {
                "requests": latencies.requests,
                "errors": latencies.errors,
                "rate": latencies.requests / load.elapsed_s if load.elapsed_s else 0.0,
                "latency_ms": milliseconds(latencies.histogram),
            }
            for path, latencies in load.paths.items()
        },
        histogram=load.all.histogram.encode().decode(),
        timeline={
            "window_s": load.timeline.window_s,
            "counts": load.timeline.counts,
            "p99_ms": load.timeline.p99_ms,
        },
        before=asdict(before),
        after=asdict(after),
        generator={**asdict(load.generator), "bottleneck": load.generator.bottleneck},
    )


def device(identity: Identity) -> dict[str, str]:
    """What a record tells of the device."""
    return asdict(identity)


def error_rate(phases: Iterable[Phase]) -> float:
    """Failures among all requests of some phases, 0 to 1."""
    phases = list(phases)
    failed = sum(sum(phase.errors.values()) for phase in phases)
    asked = failed + sum(phase.requests for phase in phases)
    return failed / asked if asked else 0.0


def latency(phases: Iterable[Phase], name: str) -> float:
    """The median of the runs, in milliseconds."""
    values = [phase.latency_ms[name] for phase in phases]
    return statistics.median(values) if values else 0.0


def memory_drop(phases: list[Phase]) -> dict[str, int]:
    """Bytes by heap that are free before the first of these phases and not after the last."""
    if not phases:
        return {}
    before, after = phases[0].before["free"], phases[-1].after["free"]
    return {heap: before[heap] - after[heap] for heap in before if heap in after}
