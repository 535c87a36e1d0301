"""Moving a pin: `./scons pin micropython=v1.28.0`.

Adds to the environment:
    env.MovePins()  an action that moves the pins that are given, and says what changed
"""

from pathlib import Path

import SCons.Script
from viper.base import console
from viper.base.errors import UserError
from viper.source import pins

_PINS = Path("nix/pins.json")


def exists(env):
    return True


def generate(env):
    env.AddMethod(lambda env: env.Deed(_move), "MovePins")


def _move(env):
    from viper.source import pin_update

    given = {name: SCons.Script.ARGUMENTS.get(name) for name in pins.MOVABLE}
    given = {name: version for name, version in given.items() if version}
    if not given:
        names = ", ".join(pins.MOVABLE)
        raise UserError(f"no pin was given, of {names}", "./scons pin micropython=v1.27.0")
    for name, version in given.items():
        changes = pin_update.move(_PINS, name, version)
        for change in changes or [f"{name}: {version} is what is pinned"]:
            console.step("PIN", change)
