# SPDX-License-Identifier: MIT
"""The right to update a device over the network.

Adds to the environment:
    env.DeviceToken()  a task that gives the device at PORT a token, which this computer keeps
"""

from __future__ import annotations

from toolkit import device
from toolkit.run import Run
from toolkit.scons import Environment
from toolkit.task import Task
from toolkit.tool import provide
from viper.base import console


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "DeviceToken", lambda env: Task(_give))


def _give(run: Run) -> None:
    from viper.device import network_token

    with device.locked(run) as url:
        mac = network_token.give(url, device.typed(run, "token"))
    if device.is_here(run):
        device.wait_until_served(run)
    console.step("TOKEN", f"{mac}  kept in {network_token.folder()}")
