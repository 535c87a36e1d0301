"""Performance with a memory: tools/perf_regression.py as a goal.

Adds to the environment:
    env.Measured(image)      what has to be built for it: nothing, if the device is given by HOST
    env.Performance(index)   an action that measures the device; a virtual board is flashed first
    env.PerformanceInputs()  what its result depends on besides the device
"""

from pathlib import Path

from viper.base import program
from viper.base.errors import UserError
from viper.performance.request import REGRESSION

_GRACE_S = 10.0  # what was measured until Ctrl-C is kept
_SCRIPT = Path("tools/perf_regression.py")
_TOLD = 2  # its exit status when it has said what a person can mend


def exists(env):
    return True


def generate(env):
    env.AddMethod(lambda env, image: [] if "HOST" in env else image, "Measured")
    env.AddMethod(performance, "Performance")
    env.AddMethod(inputs, "PerformanceInputs")


def performance(env, index=None):
    """Without `index`, what runs on the device is measured."""
    measure = env.Deed(_measure)
    return [measure] if index is None or "HOST" in env else [env.Flash(index), measure]


def inputs(env):
    return ["tools/perf_profiles.toml", env.Value(sorted(_arguments(env).items()))]


def _arguments(env):
    return {
        "--profiles": env.get("PROFILES", ""),
        "--runs": env["RUNS"],
        "--burst-duration": env["BURST_S"],
        "--long-duration": env["LONG_S"],
        "--heartbeat-ms": env["HEARTBEAT_MS"],
        "--hard-timeout-s": env["HARD_TIMEOUT_S"],
        "--tag": env["TAG"],
        "--baseline": env.get("BASELINE", ""),
        "--max-regression": env["MAX_REGRESSION"],
        "--report": f"{env['BUILD_DIR']}/perf.html",
    }


def _measure(env):
    given = [f"{name}={value}" for name, value in _arguments(env).items()]
    env["BUILD_LOCK"].release()
    env["TELL"]()  # the last word is the report's
    status = program.run([str(_SCRIPT), env.Host(), *given], _GRACE_S)
    if status == REGRESSION:
        raise SystemExit(REGRESSION)  # SCons makes 2 of every other failure
    if status == _TOLD:
        raise SystemExit(_TOLD)
    if status != 0:
        raise UserError(f"{_SCRIPT} ended with status {status}", "what it printed last says why")
