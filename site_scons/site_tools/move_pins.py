# SPDX-License-Identifier: MIT
"""Moving a pin: `./scons pin micropython=v1.28.0`.

Adds to the environment:
    env.MovePins()  a task that moves the pins that are given, and says what changed
"""

from __future__ import annotations

from toolkit import scons
from toolkit.run import Run
from toolkit.scons import Environment
from toolkit.task import Task
from toolkit.tool import provide
from viper.base import console
from viper.base.errors import UserError
from viper.source import checkout


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "MovePins", lambda env: Task(_move))


def _move(run: Run) -> None:
    from viper.source import own_project, pin_update

    typed = scons.arguments()
    given = {name: typed[name] for name in checkout.MOVABLE if typed.get(name)}
    if not given:
        names = ", ".join(checkout.MOVABLE)
        example = "micropython=v1.27.0" if checkout.IS_HERE else "viperhttp=HEAD"
        raise UserError(f"no pin was given, of {names}", f"./scons pin {example}")
    if not checkout.IS_HERE:
        before, after = own_project.move(given["viperhttp"])
        console.step("PIN", f"viperhttp: {before[:12]} → {after[:12]}")
        return
    for name, version in given.items():
        changes = pin_update.move(checkout.PINS, name, version)
        for change in changes or [f"{name}: {version} is what is pinned"]:
            console.step("PIN", change)
