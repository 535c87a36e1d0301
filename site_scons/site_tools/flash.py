# SPDX-License-Identifier: MIT
"""What differs is written to a device, which is then started.

Adds to the environment:
    env.Flash(index)  a task that asks the device itself what it holds, each time
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from toolkit import device, device_work
from toolkit.run import Run
from toolkit.scons import Environment
from toolkit.task import Task
from toolkit.tool import provide
from viper.base import console

if TYPE_CHECKING:
    from viper.flash.jobs import FlashResult


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(
        env,
        "Flash",
        lambda env, index: Task(_flash, needs=(index,), first=device.require_port),
    )


def _flash(run: Run, index: Path) -> None:
    if device.is_fleet(run):
        device_work.on_each(
            run, "flash", lambda each: device_work.sum_up(each, index, _write(each, index))
        )
        return
    result = _write(run, index)
    device_work.show(run, index, result)
    if not result.changed:
        console.step("FLASH", f"{device_work.whose(result)}  nothing to write: the chip holds it")


def _write(run: Run, index: Path) -> FlashResult:
    return device_work.work(run, index, "flash", repartition=run.options.REPARTITION or "")
