# SPDX-License-Identifier: MIT
"""What `flash` would write.

Adds to the environment:
    env.Plan(index)  a task that says so, and writes nothing
"""

from __future__ import annotations

from pathlib import Path

from toolkit import device, device_work
from toolkit.run import Run
from toolkit.scons import Environment
from toolkit.task import Task
from toolkit.tool import provide
from viper.base import console


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(
        env,
        "Plan",
        lambda env, index: Task(_plan, needs=(index,), first=device.require_port),
    )


def _plan(run: Run, index: Path) -> None:
    result = device_work.work(run, index, "plan")
    for part in result.parts:
        figure = {
            "same": "the same",
            "written": f"{device_work.sectors(part)} to write",
            "left alone": "only its files that differ are written",
        }[part.action]
        console.step("PLAN", f"{part.name}  {figure}")
    for name, what, text in result.moving:
        console.step("PLAN", f"{name}  would be {what}: {text}")
    for path in result.files_sent:
        console.step("PLAN", f"{path}  to send")
    for path in result.files_deleted:
        console.step("PLAN", f"{path}  to delete")
    for old, new in result.files_moved:
        console.step("PLAN", f"{old} → {new}  to move")
    for path, why in result.conflicts:
        console.step(
            "PLAN", f"{path}  {why}: THEIRS=keep leaves it, THEIRS=overwrite:{path} loses it"
        )
    device_work.show_theirs("PLAN", result)
    run.summary.wrote(0)
