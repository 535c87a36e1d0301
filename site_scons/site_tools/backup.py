# SPDX-License-Identifier: MIT
"""All data of a device, saved.

Adds to the environment:
    env.Backup(index)  a task that saves it on this computer
"""

from __future__ import annotations

from pathlib import Path

from toolkit import device, device_work
from toolkit.run import Run
from toolkit.scons import Environment
from toolkit.task import Task
from toolkit.tool import provide
from viper.base import console


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(
        env,
        "Backup",
        lambda env, index: Task(_backup, needs=(index,), first=device.require_device),
    )


def _backup(run: Run, index: Path) -> None:
    result = device_work.work(run, index, "backup")
    console.step("BACKUP", result.backup)
    run.summary.wrote(0)
