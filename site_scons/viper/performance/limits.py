# SPDX-License-Identifier: MIT
"""The limits of a profile, which hold whatever earlier runs were like."""

from __future__ import annotations

from viper.performance.profiles import Profile
from viper.performance.record import LONG, Record, error_rate, latency, memory_drop


def broken(record: Record, profiles: list[Profile]) -> list[str]:
    """What a record breaks, one line each."""
    lines = []
    for profile in profiles:
        limits = profile.limits
        phases = [phase for phase in record.phases if phase.profile == profile.name]
        errors = error_rate(phases)
        if limits.error_rate is not None and errors > limits.error_rate:
            lines.append(
                f"{profile.name}: {errors:.2%} of the requests failed, "
                f"{limits.error_rate:.2%} may ({_worst_path(record, profile)})"
            )
        for name, limit in (("p95", limits.p95_ms), ("p99", limits.p99_ms)):
            took = latency(record.of(profile.name, LONG), name)
            if limit is not None and took > limit:
                lines.append(f"{profile.name}: {name} is {took:.1f} ms, {limit:g} ms is the limit")
        for heap, drop in memory_drop(phases).items():
            if limits.memory_drop is not None and drop > limits.memory_drop:
                lines.append(
                    f"{profile.name}: {heap} is {drop} bytes less than before, "
                    f"{limits.memory_drop:g} may be"
                )
    return lines


def _worst_path(record: Record, profile: Profile) -> str:
    """The path that most requests failed for, and how."""
    failed: dict[tuple[str, str], int] = {}
    for phase in record.phases:
        if phase.profile == profile.name:
            for path, figures in phase.paths.items():
                for why, count in figures["errors"].items():
                    failed[path, why] = failed.get((path, why), 0) + count
    path, why = max(failed, key=failed.__getitem__)
    return f"most of them {path}: {why}"
