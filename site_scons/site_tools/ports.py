# SPDX-License-Identifier: MIT
"""Serial ports.

Adds to the environment:
    env.Ports()  a task that lists which boards are connected, and what runs on them
"""

from __future__ import annotations

from pathlib import Path

from toolkit import device
from toolkit.run import Run
from toolkit.scons import Environment
from toolkit.task import Task
from toolkit.tool import provide
from viper.base import console
from viper.base.mac import Mac


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "Ports", lambda env: Task(_list))


def _list(run: Run) -> None:
    from viper.dev import port_list
    from viper.flash import device_stamp

    found = port_list.everything(device.boards())
    known = port_list.builds(Path("build"))
    if not found:
        console.note("nothing is connected; ./scons flash makes a virtual board")
        return
    header = ("PORT", "MAC", "CHIP", "FLASH", "RUNS", "FROM", "")
    rows = [
        (
            each.port,
            console.human_mac(Mac(each.mac)) if each.mac else "",
            each.chip,
            f"{each.flash_size >> 20} MB" if each.flash_size else "",
            f"{each.app.project} {each.app.version}" if each.app else "",
            port_list.origin(each, known, device_stamp.FOLDER),
            each.state,
        )
        for each in found
    ]
    for line in port_list.table([header, *rows]):
        console.note(line)
