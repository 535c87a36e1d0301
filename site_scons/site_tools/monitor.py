# SPDX-License-Identifier: MIT
"""The console of a device.

Adds to the environment:
    env.Monitor(keys)  a task that shows what it prints; with `keys`, one types to MicroPython, too
"""

from __future__ import annotations

import subprocess
import sys
from functools import partial

from toolkit import device
from toolkit.run import Run
from toolkit.scons import Environment
from toolkit.task import Task
from toolkit.tool import provide
from viper.base import interrupt, process


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "Monitor", lambda env, keys=False: Task(partial(_console, keys)))


def _console(keys: bool, run: Run) -> None:
    """Give the terminal to viper.device.monitor, and let others build meanwhile."""
    url = device.serial_url(run)
    run.give_way()  # the last word is the device's
    command = ["setpriv", "--pdeathsig", "INT", sys.executable, "-m", "viper.device.monitor"]
    command += ["--url", url, "--called", device.called(run), "--build", str(run.folder)]
    command += ["--keys"] if keys else []
    child = subprocess.Popen(
        command,
        env=process.module_environment(),
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    status = interrupt.wait(child)
    assert child.stderr is not None
    said = child.stderr.read().decode(errors="replace")
    if status == 2:
        raise process.user_error(said)
    if status != 0:
        raise RuntimeError(f"viper.device.monitor failed:\n{said}")
