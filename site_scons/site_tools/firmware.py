# SPDX-License-Identifier: MIT
"""The firmware as nodes: MicroPython with our C modules and frozen Python, then its images.

Adds to the environment:
    env.Firmware(source, modules, python)  by the port of MicroPython that the board has
"""

from __future__ import annotations

from toolkit import nodes
from toolkit.scons import Environment, Node
from toolkit.tool import load, provide


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "Firmware", firmware)


def firmware(env: Environment, source: Node, modules: str, python: str) -> nodes.Firmware:
    if env["RUN"].board.firmware == "unix":
        load(env, "firmware_unix")
        return env.FirmwareUnix(source, modules, python)
    load(env, "firmware_esp32")
    return env.FirmwareEsp32(source, modules, python)
