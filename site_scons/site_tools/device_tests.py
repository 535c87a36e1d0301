# SPDX-License-Identifier: MIT
"""The tests of the server, against a device.

Adds to the environment:
    env.DeviceTests(record)  a task that runs pytest over tests/http; the device must run the
                             record's build
"""

from __future__ import annotations

import json
from pathlib import Path

from toolkit import device
from toolkit.programs import run_program
from toolkit.run import Run
from toolkit.scons import Environment
from toolkit.task import Task
from toolkit.tool import provide
from viper.base.errors import UserError


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "DeviceTests", lambda env, record: Task(_test, needs=(record,)))


def _test(run: Run, record: Path) -> None:
    from viper.device import http_page

    host = device.host(run)
    built = json.loads(record.read_text(encoding="utf-8"))["build"]
    runs = http_page.build(host)
    if runs != built:
        raise UserError(
            f"HOST={host} runs build {runs}, and {built} is built", "./scons flash PORT=..."
        )
    address = host if host.startswith("http://") else f"http://{host}"
    tests = ["pytest", "-rs", "-m", "not long", "tests/http"]
    run_program(run, "tests fail", tests, HTTP_HOST=address)
