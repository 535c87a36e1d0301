# SPDX-License-Identifier: MIT
"""The linters, and the laws of docs/design.md.

Adds to the environment:
    env.Lint()  a task that runs them all, and shows what each has found
"""

from __future__ import annotations

from pathlib import Path

from toolkit import scons
from toolkit.run import Run
from toolkit.scons import Environment
from toolkit.task import Task
from toolkit.tool import provide
from viper.base import console
from viper.base.errors import UserError


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "Lint", lambda env: Task(_lint))


def _lint(run: Run) -> None:
    from viper.dev import lint

    run.release()
    failed = []
    for check, found in lint.faults(Path.cwd(), scons.jobs()):
        console.step("LINT", f"{check.name}  {'has found:' if found else 'nothing'}")
        if found:
            console.note(found.rstrip())
            failed.append(check)
    if failed:
        names = ", ".join(check.name for check in failed)
        mended = ", ".join(check.mend for check in failed if check.mend)
        tools = f"mend it; in .venv/bin, {mended} does what it can" if mended else "mend it"
        raise UserError(f"lint: {names} found faults", tools)
