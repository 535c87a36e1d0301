"""Options that are kept.

Adds to the environment:
    env.Save()  a task that keeps the options that were given, in local.py
"""

from __future__ import annotations

from pathlib import Path

from toolkit.options import FOR_ONCE, LOCAL_FILE
from toolkit.run import Run
from toolkit.scons import Environment
from toolkit.task import Task
from toolkit.tool import provide
from viper.base import console
from viper.base.errors import UserError


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "Save", lambda env: Task(_save))


def _save(run: Run) -> None:
    for name in FOR_ONCE:
        if name in run.given.by_name:
            raise UserError(f"{name} is never kept", f"give {name}= with the command that needs it")
    run.given.save(LOCAL_FILE)
    kept = Path(LOCAL_FILE).read_text(encoding="utf-8").splitlines()
    console.step("SAVE", f"{LOCAL_FILE}  {', '.join(kept)}")
