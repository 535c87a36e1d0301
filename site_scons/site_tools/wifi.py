"""The Wi-Fi network of a device.

Adds to the environment:
    env.Wifi()  an action that asks for a network and lets the device at PORT keep and join it
"""

import os

from viper.base import console
from viper.ports import port


def exists(env):
    return True


def generate(env):
    env.AddMethod(lambda env: env.Deed(_wifi), "Wifi")


def _wifi(env):
    from viper.base import answer
    from viper.device import wifi

    url = env.SerialUrl()
    again = port.typed("wifi", env["PORT"])
    with port.lock(url, called=f"PORT={env['PORT']}", pid=os.getpid()):
        name = answer.ask("Name of the network:")
        network = wifi.Network(name, answer.ask_secret("Its password (not shown):"))
        said = wifi.hand_over(network, url, again)
    console.step("WIFI", f"PORT={env['PORT']}  kept on the device only")
    if said:
        console.note(said)
    env["RUN"].wrote(0)
