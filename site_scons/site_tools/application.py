"""The application that runs on a device: where it serves, whether it is well, its console.

Adds to the environment, each an action for a goal:
    env.Start()        start it and stay with its console; Ctrl-C stops it
    env.Answer()       wait until it serves
    env.Smoke(record)  is it the build of this record, and is it well?
and for the actions of other tools:
    env.Host()         its address, host:port; HOST, or learned from the device at PORT
"""

import json
import os
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from viper.base import console
from viper.base.errors import UserError
from viper.ports import port


def exists(env):
    return True


def generate(env):
    env["LEARNED"] = {}  # what the device has told in this run
    env.AddMethod(lambda env: env.Deed(_start), "Start")
    env.AddMethod(lambda env: env.Deed(_answer), "Answer")
    env.AddMethod(lambda env, record: env.Deed(_smoke, record), "Smoke")
    env.AddMethod(_host, "Host")


def _host(env):
    if "HOST" in env:
        return env["HOST"]
    if not env["PORT"]:
        raise UserError("which device is meant?", "give HOST=192.168.0.7, or PORT=/dev/ttyUSB0")
    if port.parse(env["PORT"]).board is not None:
        return f"127.0.0.1:{env.RunningBoard().http_port}"
    if "host" not in env["LEARNED"]:
        from viper.device.terminal import Console

        with _locked(env) as url, Console(url, f"PORT={env['PORT']}") as device:
            device.start()
            env["LEARNED"]["host"] = device.address().removeprefix("http://")
    return env["LEARNED"]["host"]


@contextmanager
def _locked(env):
    """The port's URL, held alone."""
    url = env.SerialUrl()
    with port.lock(url, called=f"PORT={env['PORT']}", pid=os.getpid()):
        yield url


def _start(env):
    from viper.device.terminal import Console, stop_application

    env["BUILD_LOCK"].release()
    with _locked(env) as url:
        with Console(url, f"PORT={env['PORT']}") as device:
            device.start()
            address = device.address()
            device.end_line()
            console.step("SERVE", f"{address}  Ctrl-C stops it")
            device.stay()
            device.end_line()
        stop_application(url, port.typed("serve", env["PORT"]))
    console.step("SERVE", f"stopped; {port.typed('serve', env['PORT'])} starts it again")


def _answer(env):
    from viper.device import http_page

    host = env["LEARNED"]["host"] = env.Host()
    address = http_page.wait_until_answered(f"http://{host}", port.typed("serve", env["PORT"]))
    console.step("SERVE", f"{address}  answers")


def _smoke(env, record):
    from viper.base import app_paths
    from viper.device import smoke
    from viper.device.repl import DeviceRepl

    build = json.loads(record.read_text(encoding="utf-8"))["build"]
    address = f"http://{env.Host()}"
    typed = partial(port.typed, port=env["PORT"])
    with _locked(env) as url, DeviceRepl(url, typed("smoke")) as repl:
        verdict = smoke.examine(
            *(repl, address, env["BOARD_TOML"], build, app_paths.load(Path()), typed("serve"))
        )
    figures = verdict.figures
    for line in verdict.unchecked:
        console.step("SMOKE", f"not checked: {line}")
    for problem in verdict.problems:
        console.step("SMOKE", problem)
    if verdict.problems:
        raise UserError(
            f"the device {figures.mac} fails the smoke test: {verdict.problems[0]}", typed("flash")
        )
    env["LEARNED"].update(mac=figures.mac, build=figures.build)
    free = ", ".join(
        f"{name} {console.human_size(size)}"
        for name, size in figures.memory.items()
        if name.endswith("_free")
    )
    well = "not all of it checked" if verdict.unchecked else "both cores answer"
    console.step("SMOKE", f"{figures.mac}  build {figures.build}, {free}; {well}")
