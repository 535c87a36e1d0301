# SPDX-License-Identifier: MIT
"""A device makes the compressed siblings of its own files.

Adds to the environment:
    env.GzipDevice(folder)  a task that runs gzip_static on a folder of the device
"""

from __future__ import annotations

from functools import partial

from toolkit import device
from toolkit.run import Run
from toolkit.scons import Environment
from toolkit.task import Task
from toolkit.tool import provide
from viper.base.console import human_size, step
from viper.base.errors import UserError


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "GzipDevice", lambda env, folder: Task(partial(_compress, folder)))


def _compress(folder: str, run: Run) -> None:
    from viper.update import gzip_device

    settings = run.board.gzip
    if not settings.enabled:
        raise UserError(
            f"BOARD={run.options.BOARD} ships nothing compressed", "give GZIP_ENABLED=1"
        )
    if device.is_here(run):
        device.running_board(run)
    done = gzip_device.compress(
        gzip_device.Request(
            run.options.PORT, device.serial_url(run), folder, settings.min_size, settings.level
        )
    )
    counts = f"{done.made} made, {done.fresh} fresh, {done.skipped} skipped, {done.removed} removed"
    sizes = f"{human_size(done.bytes_in)} to {human_size(done.bytes_out)}"
    step("GZIP", f"{folder}  {counts}, {sizes}")
    run.summary.wrote(done.bytes_out)
