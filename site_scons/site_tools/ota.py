"""Updates over the network.

Adds to the environment, each an action for a goal:
    env.Ota(app)    bring the device at HOST to run an application image
    env.Token()     give the device at PORT a token, which the other asks for
"""

import json
import os

from viper.base import console
from viper.base.console import human_size
from viper.ports import port


def exists(env):
    return True


def generate(env):
    env.AddMethod(lambda env, app: env.Deed(_ota, app), "Ota")
    env.AddMethod(lambda env: env.Deed(_token), "Token")


def _ota(env, app):
    from viper.update import ota

    host = env.Host()
    image = app.read_bytes()
    record = app.with_name("firmware.json").read_text(encoding="utf-8")
    again = f"./scons ota HOST={env['HOST']}" if "HOST" in env else port.typed("ota", env["PORT"])
    with console.progress(f"OTA      {host}", len(image)) as show:
        wanted = ota.Update(
            host, image, json.loads(record)["build"], again, in_clear=env.get("TOKEN") == "plain"
        )
        result = ota.update(wanted, show)
    if result.returned_to_factory:
        console.step("OTA", f"{host}  went back to factory to receive")
    if result.sent:
        console.step("OTA", f"{result.slot}  {human_size(result.sent)} sent")
        env["RUN"].ran()
    else:
        env["RUN"].skipped()
    console.step("OTA", f"{host}  runs build {result.build} in {result.slot}")
    env["RUN"].wrote(result.sent)
    env["RUN"].url = f"http://{host}/"


def _token(env):
    from viper.device import http_page, network_token

    url = env.SerialUrl()
    with port.lock(url, called=f"PORT={env['PORT']}", pid=os.getpid()):
        mac = network_token.give(url, port.typed("token", env["PORT"]))
    if port.parse(env["PORT"]).board:
        http_page.wait_until_served(
            env.RunningBoard().http_port, port.typed("board-log", env["PORT"])
        )
    console.step("TOKEN", f"{mac}  kept in {network_token.folder()}")
