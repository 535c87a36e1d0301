# SPDX-License-Identifier: MIT
"""What a device needs that is not given by HOST, and so has to be flashed first.

Adds to the environment:
    env.UnlessHost(goal)  the goal, or none if the device is given by HOST
"""

from __future__ import annotations

from toolkit.scons import Environment
from toolkit.tool import provide


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "UnlessHost", unless_host)


def unless_host(env: Environment, goal: str) -> str:
    return goal if env["RUN"].options.HOST is None else ""
