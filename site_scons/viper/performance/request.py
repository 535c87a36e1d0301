# SPDX-License-Identifier: MIT
"""What a person asks of one run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PROFILES = ROOT / "tools/perf_profiles.toml"
HISTORY = ROOT / "tools/perf_history"

OK, REGRESSION = 0, 1  # exit statuses; 2 is UserError's


@dataclass(frozen=True)
class Request:
    """One run, and what it is compared with. The defaults are those of `./scons perf`.

    Attributes:
        host: name or address, with `:port` if that is not 80.
        profiles: names of profiles, in the order of measuring; none means all of the file.
        runs: how often each profile is measured.
        burst_s, long_s: seconds that each phase lasts.
        heartbeat_ms: time between two lines that say how far it is.
        hard_timeout_s: what may not take longer altogether.
        tag: what the run is called.
        baseline: the tag of the run to compare with; the last one like this if empty.
        max_regression: per cent that a figure may be worse.
        profiles_file: the TOML file of the profiles.
        history: the folder of all runs.
        report: the page to write.
        project: the folder whose revision is measured.
        app_file: the application's app.toml.
    """

    host: str
    profiles: tuple[str, ...] = ()
    runs: int = 3
    burst_s: float = 12
    long_s: float = 30
    heartbeat_ms: int = 3000
    hard_timeout_s: float = 1800
    tag: str = "run"
    baseline: str = ""
    max_regression: float = 10
    profiles_file: Path = PROFILES
    history: Path = HISTORY
    report: Path = ROOT / "build/perf.html"
    project: Path = ROOT
    app_file: Path = ROOT / "firmware/app/app.toml"
