# SPDX-License-Identifier: MIT
"""What the linker gave to whom, as a node.

Adds to the environment:
    env.LinkedSizes(firmware)  build/<BOARD>/linked.json: what the linker gave to which component
                               and symbol
"""

from __future__ import annotations

from pathlib import Path

from toolkit.nodes import Firmware
from toolkit.scons import Environment, Node
from toolkit.step import step
from toolkit.tool import provide
from viper.base.console import human_size


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "LinkedSizes", sizes)


def sizes(env: Environment, firmware: Firmware) -> Node:
    run = env["RUN"]
    made = env.Command(
        f"{run.folder}/linked.json",
        [firmware.map, firmware.app],
        step(env, "SIZES", _linked, uses=["esp-idf-size"], psram_size=run.board.psram_size),
    )
    return made[0]


def _linked(targets: list[Path], sources: list[Path], psram_size: int) -> str:
    from viper.base import atomic_file
    from viper.firmware import module_memory
    from viper.graph import sizes

    map_file, app = sources
    measured = sizes.linked(map_file, module_memory.read(app.read_bytes()), psram_size)
    atomic_file.write_json(targets[0], measured)
    return f"linked.json  {human_size(measured['memory']['flash'])} in flash"
