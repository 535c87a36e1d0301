# SPDX-License-Identifier: MIT
"""The Wi-Fi network of a device.

Adds to the environment:
    env.Wifi()  a task that asks for a network and lets the device at PORT keep and join it
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
    provide(env, "Wifi", lambda env: Task(_join))


def _join(run: Run) -> None:
    from viper.base import answer
    from viper.device import wifi

    with device.locked(run) as url:
        name = answer.ask("Name of the network:")
        network = wifi.Network(name, answer.ask_secret("Its password (not shown):"))
        said = wifi.hand_over(network, url, device.typed(run, "wifi"))
    console.step("WIFI", f"{device.called(run)}  kept on the device only")
    if said:
        console.note(said)
    run.summary.wrote(0)
