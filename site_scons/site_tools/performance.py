# SPDX-License-Identifier: MIT
"""Performance with a memory: tools/perf_regression.py as a goal.

Adds to the environment:
    env.Performance()  a task that measures what runs on the device
"""

from __future__ import annotations

from toolkit import device
from toolkit.run import Run
from toolkit.scons import Environment
from toolkit.task import Task
from toolkit.tool import provide
from viper.base import program
from viper.base.errors import UserError
from viper.performance.request import REGRESSION
from viper.source import checkout

_GRACE_S = 10.0  # what was measured until Ctrl-C is kept
_SCRIPT = checkout.FOLDER / "tools/perf_regression.py"
_PROFILES = "tools/perf_profiles.toml"  # of the project, as is the next
_HISTORY = "tools/perf_history"
_TOLD = 2  # its exit status when it has said what a person can mend


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "Performance", performance)


def performance(env: Environment) -> Task:
    asked = env.Value(sorted(_arguments(env["RUN"]).items()))
    return Task(_measure, inputs=(_PROFILES, asked))


def _arguments(run: Run) -> dict[str, object]:
    options = run.options
    return {
        "--profiles": options.PROFILES or "",
        "--runs": options.RUNS,
        "--burst-duration": options.BURST_S,
        "--long-duration": options.LONG_S,
        "--heartbeat-ms": options.HEARTBEAT_MS,
        "--hard-timeout-s": options.HARD_TIMEOUT_S,
        "--tag": options.TAG,
        "--baseline": options.BASELINE or "",
        "--max-regression": options.MAX_REGRESSION,
        "--report": f"{run.folder}/perf.html",
    }


def _measure(run: Run) -> None:
    where = {
        "--profiles-file": _PROFILES,
        "--history": _HISTORY,
        "--project": ".",
        "--app-file": run.project.app_file,
    }
    given = [f"{name}={value}" for name, value in {**_arguments(run), **where}.items()]
    run.give_way()  # the last word is the report's
    status = program.run([str(_SCRIPT), device.host(run), *given], _GRACE_S)
    if status == REGRESSION:
        raise SystemExit(REGRESSION)  # SCons makes 2 of every other failure
    if status == _TOLD:
        raise SystemExit(_TOLD)
    if status != 0:
        raise UserError(f"{_SCRIPT} ended with status {status}", "what it printed last says why")
