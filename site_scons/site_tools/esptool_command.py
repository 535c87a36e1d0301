# SPDX-License-Identifier: MIT
"""How plain esptool would write an image.

Adds to the environment:
    env.EsptoolCommand(index)  a task that prints the command
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
from viper.ports import port


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "EsptoolCommand", lambda env, index: Task(_print, needs=(index,)))


def _print(run: Run, index: Path) -> None:
    from viper.image.esptool_command import esptool_command

    text = port.split(run.options.PORT)[0]
    named = port.parse(text) if text else None
    made = device.state_folder(named) / "board.json" if named and named.board else None
    if made and made.is_file():
        number = json.loads(made.read_text(encoding="utf-8"))["serial_port"]
        stock_port = f"rfc2217://127.0.0.1:{number}?ign_set_control"
    else:
        is_known_to_others = named and not (named.board or named.place)
        stock_port = text if is_known_to_others else "PORT"
    if run.board.overlay:
        console.note(f"for an emulator alone (overlay '{run.board.overlay}'), and for no board:")
    console.note(esptool_command(index, stock_port, run.options.BAUD))
