# SPDX-License-Identifier: MIT
"""A project of one's own.

Adds to the environment:
    env.NewProject()  a task that makes one in the folder that `new=` names
"""

from __future__ import annotations

from pathlib import Path

from toolkit.run import Run
from toolkit.scons import Environment
from toolkit.task import Task
from toolkit.tool import provide
from viper.base import console
from viper.base.errors import UserError


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "NewProject", lambda env: Task(_new))


def _new(run: Run) -> None:
    from viper.source import checkout, own_project

    if run.options.new is None:
        raise UserError("new needs a folder", "./scons new=../greenhouse")
    folder = Path(run.options.new)
    commit = own_project.begin(folder)
    if own_project.has_changes(checkout.FOLDER):
        console.note(f"what is changed here is no part of it: it pins the commit {commit[:10]}")
    console.step("NEW", f"{folder}  on ViperHTTP {commit[:10]}: cd {folder} && ./scons flash")
