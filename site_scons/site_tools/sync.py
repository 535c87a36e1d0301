# SPDX-License-Identifier: MIT
"""The files of a device, brought up to date.

Adds to the environment:
    env.Sync(files)  a task that sends those that differ, to PORT or to HOST
"""

from __future__ import annotations

import json
from functools import partial
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
        "Sync",
        lambda env, files: Task(_sync, needs=(files,), first=device.require_device),
    )


def _sync(run: Run, index: Path) -> None:
    by_network = device.by_network(run)
    if device.is_fleet(run) and not by_network:
        device_work.on_each(
            run, "sync", lambda each: device_work.sum_up(each, index, _over_serial(each, index))
        )
        return
    work = _over_network if by_network else _over_serial
    result = work(run, index)
    device_work.show(run, index, result)
    if not result.changed:
        console.step("SYNC", f"{device_work.whose(result)}  nothing to send: the device holds it")


def _over_serial(run: Run, index: Path) -> FlashResult:
    return device_work.work(run, index, "sync")


def _over_network(run: Run, index: Path) -> FlashResult:
    from viper.flash import device_stamp
    from viper.sync import over_http

    host = device.host(run)
    record = json.loads(index.with_name("firmware.json").read_text(encoding="utf-8"))
    request = over_http.SyncRequest(
        host,
        index,
        Path(),
        device_stamp.FOLDER,
        record["build"],
        device_work.choices(run),
    )
    return over_http.sync(request, partial(console.progress, f"SYNC     {host}"))
