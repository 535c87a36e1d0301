# SPDX-License-Identifier: MIT
"""The application that runs on a device.

Adds to the environment:
    env.Serve()  a task that starts it and stays with its console, until Ctrl-C; where nobody
                 watches, it waits until the device serves
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
    provide(env, "Serve", lambda env: Task(_stay, unattended=_answer))


def _stay(run: Run) -> None:
    from viper.device.terminal import Console, stop_application

    run.release()
    again = device.typed(run, "serve")
    with device.locked(run) as url:
        with Console(url, device.called(run)) as terminal:
            terminal.start()
            address = terminal.address()
            terminal.end_line()
            console.step("SERVE", f"{address}  Ctrl-C stops it")
            terminal.stay()
            terminal.end_line()
        stop_application(url, again)
    console.step("SERVE", f"stopped; {again} starts it again")


def _answer(run: Run) -> None:
    from viper.device import http_page

    host = run.learned["host"] = device.host(run)
    address = http_page.wait_until_answered(f"http://{host}", device.typed(run, "serve"))
    console.step("SERVE", f"{address}  answers")
