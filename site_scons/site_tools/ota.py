# SPDX-License-Identifier: MIT
"""An update over the network.

Adds to the environment:
    env.Ota(app)  a task that brings the device at HOST to run an application image
"""

from __future__ import annotations

import json
from pathlib import Path

from toolkit import device
from toolkit.run import Run
from toolkit.scons import Environment
from toolkit.task import Task
from toolkit.tool import provide
from viper.base import console
from viper.base.console import human_size


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "Ota", lambda env, app: Task(_update, needs=(app,)))


def _update(run: Run, app: Path) -> None:
    from viper.image import partition_table
    from viper.update import ota

    board = run.board
    table = partition_table.load(board.partitions, board.flash_size, board.chip)
    ota.require_slot(table, board.name, f"./scons flash PORT=... BOARD={board.name}")
    host = device.host(run)
    image = app.read_bytes()
    record = app.with_name("firmware.json").read_text(encoding="utf-8")
    at_host = f"./scons ota HOST={run.options.HOST}"
    again = device.typed(run, "ota") if run.options.HOST is None else at_host
    with console.progress(f"OTA      {host}", len(image)) as show:
        wanted = ota.Update(
            host, image, json.loads(record)["build"], again, in_clear=run.options.TOKEN == "plain"
        )
        result = ota.update(wanted, show)
    if result.returned_to_factory:
        console.step("OTA", f"{host}  went back to factory to receive")
    if result.sent:
        console.step("OTA", f"{result.slot}  {human_size(result.sent)} sent")
        run.summary.ran()
    else:
        run.summary.skipped()
    console.step("OTA", f"{host}  runs build {result.build} in {result.slot}")
    run.summary.wrote(result.sent)
    run.summary.url = f"http://{host}/"
