# SPDX-License-Identifier: MIT
"""The incremental loop.

Adds to the environment:
    env.Dev()  a task that brings to the device what is saved, until Ctrl-C
"""

from __future__ import annotations

import json
from pathlib import Path

from toolkit import device, scons
from toolkit.run import Run
from toolkit.scons import Environment
from toolkit.task import Task
from toolkit.tool import provide
from viper.base import console, program
from viper.base.errors import UserError
from viper.ports import labgrid
from viper.source import checkout
from viper.sync import theirs

_SOURCES = ("boards", "modules", *(("firmware", "nix", "site_scons") if checkout.IS_HERE else ()))
_GRACE_S = 5.0  # a build under way is interrupted, and leaves the device in order


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "Dev", lambda env: Task(_loop))


def _loop(run: Run) -> None:
    by_network = device.by_network(run)
    if not by_network:
        device.serial_url(run, makes=True)  # a virtual board is there before its page is
    host = run.options.HOST
    if host is None and device.is_here(run):
        host = device.host(run)
    # A loop that asks is none: what was changed on the device stays there, and is told.
    options = {"THEIRS": theirs.KEEP, **scons.arguments()}
    given = [f"{name}={value}" for name, value in options.items()]
    run.give_way()  # the runs of the loop have the word
    request = json.dumps(
        {
            "device": host,
            "by_network": by_network,
            "arguments": given,
            "files": run.project.files,
            "sources": [folder for folder in _SOURCES if Path(folder).is_dir()],
        }
    )
    try:
        status = program.run(["-m", "viper.dev.loop", request], _GRACE_S, labgrid.handed_on())
    except KeyboardInterrupt:
        console.note("")
        return
    if status != 0:
        raise UserError(f"the loop ended with status {status}", "see above")
