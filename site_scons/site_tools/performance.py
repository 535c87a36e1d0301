"""Performance with a memory: tools/perf_regression.py as a goal.

Adds to the environment:
    env.Performance(index)  an action that measures HOST, or the virtual board after flashing it
"""

from pathlib import Path

from viper import port, program
from viper.errors import UserError
from viper.performance.request import REGRESSION

_GRACE_S = 10.0  # what was measured until Ctrl-C is kept
_SCRIPT = Path("tools/perf_regression.py")


def exists(env):
    return True


def generate(env):
    env.AddMethod(performance, "Performance")


def performance(env, index):
    measure = env.Deed(_measure)
    return [measure] if "HOST" in env else [env.Flash(index), measure]


def _measure(env):
    arguments = {
        "--profiles": env.get("PROFILES", ""),
        "--runs": env["RUNS"],
        "--burst-duration": env["BURST_S"],
        "--long-duration": env["LONG_S"],
        "--heartbeat-ms": env["HEARTBEAT_MS"],
        "--hard-timeout-s": env["HARD_TIMEOUT_S"],
        "--tag": env["TAG"],
        "--baseline": env.get("BASELINE", ""),
        "--max-regression": env["MAX_REGRESSION"],
        "--report": Path(env["BUILD_DIR"], "perf.html"),
    }
    given = [f"{name}={value}" for name, value in arguments.items()]
    env["BUILD_LOCK"].release()
    env["TELL"]()  # the last word is the report's
    status = program.run([str(_SCRIPT), _host(env), *given], _GRACE_S)
    if status == REGRESSION:
        raise SystemExit(REGRESSION)  # SCons makes 2 of every other failure
    if status != 0:
        raise UserError("nothing was measured that could be compared", "see above")


def _host(env):
    if "HOST" in env:
        return env["HOST"]
    if port.parse(env["PORT"] or "/dev/null").board is None:
        raise UserError("which device is to be measured?", "give HOST=192.168.0.7")
    return f"127.0.0.1:{env.RunningBoard().http_port}"
