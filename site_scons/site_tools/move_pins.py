# SPDX-License-Identifier: MIT
"""Moving a pin: `./scons pin micropython=v1.28.0`.

Adds to the environment:
    env.MovePins()  a task that moves the pins that are given, and says what changed
"""

from __future__ import annotations

from pathlib import Path

from toolkit import scons
from toolkit.run import Run
from toolkit.scons import Environment
from toolkit.task import Task
from toolkit.tool import provide
from viper.base import console
from viper.base.errors import UserError
from viper.source import pins

_PINS = Path("nix/pins.json")


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "MovePins", lambda env: Task(_move))


def _move(run: Run) -> None:
    from viper.source import pin_update

    typed = scons.arguments()
    given = {name: typed[name] for name in pins.MOVABLE if typed.get(name)}
    if not given:
        names = ", ".join(pins.MOVABLE)
        raise UserError(f"no pin was given, of {names}", "./scons pin micropython=v1.27.0")
    for name, version in given.items():
        changes = pin_update.move(_PINS, name, version)
        for change in changes or [f"{name}: {version} is what is pinned"]:
            console.step("PIN", change)
