#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measure a device, and compare it with what it was before: see docs/performance.md.

Exit status: 0; 1 for a regression beyond --max-regression, or a broken limit of a profile; 2 for
whatever kept it from being measured.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
INTERPRETERS = (ROOT / ".venv/bin/python", ROOT / ".venv/Scripts/python.exe")  # WSL's is no .exe


def main() -> int:
    """Measure by the Python of .venv where there is one; the exit status is that of the module."""
    in_venv = Path(sys.prefix).resolve() == (ROOT / ".venv").resolve()
    interpreter = next((path for path in INTERPRETERS if runs(path)), None)
    if interpreter is not None and not in_venv:
        return subprocess.call([str(interpreter), __file__, *sys.argv[1:]])
    sys.path.insert(0, str(ROOT / "site_scons"))
    from viper.base.errors import exits

    return exits(measure)()


def runs(interpreter: Path) -> bool:
    """Whether there is such an interpreter, and this system can execute it."""
    return interpreter.is_file() and (os.name == "nt") == (interpreter.suffix == ".exe")


def measure() -> int:
    """Measure as the command line says."""
    from viper.base.errors import UserError

    if os.name == "posix":  # on Windows, whoever measures installs them
        from viper.base import packages

        packages.provide("perf")
    try:
        from viper.performance.command import run
        from viper.performance.request import Request
    except ImportError as missing:
        raise UserError(
            f"this Python has no {missing.name}", "python -m pip install -r requirements/perf.txt"
        ) from None
    default = Request(host="")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("host", help="name or address of the device, with :port if not 80")
    add = parser.add_argument
    add("--profiles", default="", help="names with commas between; default: all of the file")
    add("--runs", type=int, default=default.runs)
    add("--burst-duration", type=float, default=default.burst_s, metavar="S")
    add("--long-duration", type=float, default=default.long_s, metavar="S")
    add("--heartbeat-ms", type=int, default=default.heartbeat_ms, metavar="MS")
    add("--hard-timeout-s", type=float, default=default.hard_timeout_s, metavar="S")
    add("--tag", default=default.tag, help="what this run is called")
    add("--baseline", default="", metavar="TAG", help="compare with the newest run of this tag")
    add("--max-regression", type=float, default=default.max_regression, metavar="PER_CENT")
    add("--profiles-file", type=Path, default=default.profiles_file)
    add("--history", type=Path, default=default.history, help="folder of all runs")
    add("--report", type=Path, default=default.report, help="the page to write")
    add("--project", type=Path, default=default.project, help="the folder that is measured")
    add("--app-file", type=Path, default=default.app_file, help="its app.toml")
    given = parser.parse_args()
    request = Request(
        host=given.host,
        profiles=tuple(filter(None, given.profiles.split(","))),
        runs=given.runs,
        burst_s=given.burst_duration,
        long_s=given.long_duration,
        heartbeat_ms=given.heartbeat_ms,
        hard_timeout_s=given.hard_timeout_s,
        tag=given.tag,
        baseline=given.baseline,
        max_regression=given.max_regression,
        profiles_file=given.profiles_file,
        history=given.history,
        report=given.report,
        project=given.project,
        app_file=given.app_file,
    )
    try:
        return run(request)
    except KeyboardInterrupt:
        raise UserError("interrupted", "what was measured until then is kept") from None


if __name__ == "__main__":
    sys.exit(main())
