# SPDX-License-Identifier: MIT
"""Records of runs as they would have been measured, with known figures and known noise."""

from __future__ import annotations

import random
from collections.abc import Sequence

from viper.performance.latency import histogram
from viper.performance.record import BURST, COMPLETE, LONG, Phase, Record

RATE, P50_MS = 800.0, 4.0
PATHS = ("/a", "/b")


def _histogram() -> str:
    latencies = histogram()
    for percent in range(100):
        latencies.record_value(round(P50_MS * 1000 * (0.5 + percent / 100)))
    text: str = latencies.encode().decode()
    return text


HISTOGRAM = _histogram()  # the same for all: verdicts are made of the phases' figures


class Series:
    """A seeded source of records of one device.

    Args:
        noise: standard deviation of a run's figures, as a part of them.
        wander: the same of what all runs of a record share.
    """

    def __init__(self, seed: int, noise: float, wander: float = 0.0) -> None:
        self._random = random.Random(seed)
        self._noise, self._wander = noise, wander
        self._made = 0

    def record(
        self,
        slower: float = 0.0,
        runs: int = 3,
        build: str = "b1",
        tag: str = "run",
        profiles: Sequence[str] = ("light",),
        slow_path: tuple[str, float] = ("", 0.0),
        **more: object,
    ) -> Record:
        """A record whose requests take longer by `slower`, 0.05 for 5 %.

        Args:
            slow_path: one path that takes longer by so much again.
            more: fields of the record that are to be otherwise.
        """
        self._made += 1
        shared = 1 + self._random.gauss(0, self._wander)
        phases = []
        for profile in profiles:
            for run in range(1, runs + 1):
                for kind in (BURST, LONG):
                    cost = (1 + slower) * shared * (1 + self._random.gauss(0, self._noise))
                    phases.append(_phase(profile, run, kind, cost, slow_path))
        minutes = self._made
        fields = {
            "tag": tag,
            "started": f"2026-01-31T{minutes // 60:02}:{minutes % 60:02}:00Z",
            "address": "http://192.168.0.7",
            "parameters": {
                "runs": runs,
                "burst_s": 12,
                "long_s": 30,
                "profiles": {name: {"paths": list(PATHS), "clients": 8} for name in profiles},
            },
            "host": {"name": "desk", "system": "Linux", "python": "3.11.2"},
            "revision": "abc",
            "device": {"mac": "02aabbccddee", "build": build, "files": "f1"},
            "state": COMPLETE,
            "phases": phases,
        }
        return Record(**{**fields, **more})  # type: ignore[arg-type]


def _phase(profile: str, run: int, kind: str, cost: float, slow_path: tuple[str, float]) -> Phase:
    paths = {}
    for path in PATHS:
        more = 1 + (slow_path[1] if path == slow_path[0] else 0.0)
        paths[path] = {
            "requests": 500,
            "errors": {},
            "rate": RATE / cost / len(PATHS),
            "latency_ms": _latency(cost * more),
        }
    mean = 1 + slow_path[1] / len(PATHS)
    return Phase(
        profile=profile,
        run=run,
        kind=kind,
        mode="closed loop",
        requests=1000,
        errors={},
        unsent=0,
        elapsed_s=1.0,
        rate=RATE / (cost * mean),
        latency_ms=_latency(cost),
        drift=1.0,
        paths=paths,
        histogram=HISTOGRAM,
        timeline={"window_s": 0.1, "counts": [100] * 10, "p99_ms": [9.0] * 10},
        before={"free": {"heap_free": 100_000}, "counters": {"uptime_seconds": 1.0}},
        after={"free": {"heap_free": 100_000}, "counters": {"uptime_seconds": 2.0}},
        generator={"cpu": 0.1, "lag_p99_ms": 1.0, "bottleneck": ""},
    )


def _latency(cost: float) -> dict[str, float]:
    factors = {"p50": 1, "p90": 2, "p95": 2.5, "p99": 4, "p999": 8, "max": 9}
    return {name: P50_MS * cost * factor for name, factor in factors.items()}
