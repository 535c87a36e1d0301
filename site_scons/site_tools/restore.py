# SPDX-License-Identifier: MIT
"""A backup's data, put back.

Adds to the environment:
    env.Restore(index)  a task that puts it on a device, FROM=folder
"""

from __future__ import annotations

from pathlib import Path

from toolkit import device, device_work
from toolkit.run import Run
from toolkit.scons import Environment
from toolkit.task import Task
from toolkit.tool import provide


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(
        env,
        "Restore",
        lambda env, index: Task(_restore, needs=(index,), first=device.require_device),
    )


def _restore(run: Run, index: Path) -> None:
    source = None if run.options.FROM is None else Path(run.options.FROM).expanduser()
    device_work.show(run, index, device_work.work(run, index, "restore", source=source))
