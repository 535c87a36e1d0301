# SPDX-License-Identifier: MIT
"""Options that are kept.

Adds to the environment:
    env.Save()  a task that keeps the options that were given, in local.py
"""

from __future__ import annotations

from pathlib import Path

from toolkit.options import LOCAL_FILE, save
from toolkit.run import Run
from toolkit.scons import Environment
from toolkit.task import Task
from toolkit.tool import provide
from viper.base import console


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "Save", lambda env: Task(_save))


def _save(run: Run) -> None:
    save(run.given)
    kept = Path(LOCAL_FILE).read_text(encoding="utf-8").splitlines()
    console.step("SAVE", f"{LOCAL_FILE}  {', '.join(kept)}")
