# SPDX-License-Identifier: MIT
"""Whether a device is well.

Adds to the environment:
    env.Smoke(record)  a task that asks whether it runs the build of this record, and is well
"""

from __future__ import annotations

import json
from pathlib import Path

from toolkit import device
from toolkit.run import Run
from toolkit.scons import Environment
from toolkit.task import Task
from toolkit.tool import provide
from viper.base import console
from viper.base.errors import UserError


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "Smoke", lambda env, record: Task(_smoke, needs=(record,)))


def _smoke(run: Run, record: Path) -> None:
    from viper.base import app_paths
    from viper.device import smoke
    from viper.device.repl import DeviceRepl

    build = json.loads(record.read_text(encoding="utf-8"))["build"]
    address = f"http://{device.host(run)}"
    paths, serve = app_paths.load(run.project.app_file), device.typed(run, "serve")
    with device.locked(run) as url, DeviceRepl(url, device.typed(run, "smoke")) as repl:
        verdict = smoke.examine(repl, address, run.board, build, paths, serve)
    figures = verdict.figures
    for line in verdict.unchecked:
        console.step("SMOKE", f"not checked: {line}")
    for problem in verdict.problems:
        console.step("SMOKE", problem)
    if verdict.problems:
        raise UserError(
            f"the device {figures.mac} fails the smoke test: {verdict.problems[0]}",
            device.typed(run, "flash"),
        )
    run.learned.update(mac=figures.mac, build=figures.build)
    free = ", ".join(
        f"{name} {console.human_size(size)}"
        for name, size in figures.memory.items()
        if name.endswith("_free")
    )
    well = "not all of it checked" if verdict.unchecked else "both cores answer"
    console.step("SMOKE", f"{figures.mac}  build {figures.build}, {free}; {well}")
