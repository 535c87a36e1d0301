# SPDX-License-Identifier: MIT
"""The whole flash of a device, erased.

Adds to the environment:
    env.Erase()  a task that does so, after a question
"""

from __future__ import annotations

import os
import sys

from toolkit import device
from toolkit.run import Run
from toolkit.scons import Environment
from toolkit.task import Task
from toolkit.tool import provide
from viper.base import console, process
from viper.base.errors import UserError
from viper.ports import port


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "Erase", lambda env: Task(_erase))


def _erase(run: Run) -> None:
    from viper.base import answer

    if port.parse(run.options.PORT or "virtual").board:
        device.running_board(run)
    url, called = device.serial_url(run), device.called(run)
    question = f"Erase the whole flash of {called}, files, settings and all? [yes/no]"
    if answer.ask(question).strip().lower() != "yes":
        raise UserError("nothing was erased", "answer yes to erase it")
    with port.lock(url, called=called, pid=os.getpid()):
        try:
            process.run(
                [sys.executable, "-m", "viper.device.esptool_command", url, called, "erase-flash"],
                environment=process.module_environment(),
            )
        except process.ToolFailed as failure:
            raise UserError(
                f"PORT={run.options.PORT} was not erased: {failure.last_line()}", "./scons ports"
            ) from None
    run.summary.wrote(0)
    console.step("ERASE", f"{called}  its whole flash; {device.typed(run, 'flash')}")
