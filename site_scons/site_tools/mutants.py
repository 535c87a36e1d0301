# SPDX-License-Identifier: MIT
"""Mutants of the program, which the tests should notice.

Adds to the environment:
    env.Mutants()  a task that changes MUTANTS places below PATHS, one at a time, chosen by SEED
"""

from __future__ import annotations

from toolkit.programs import run_program
from toolkit.run import Run
from toolkit.scons import Environment
from toolkit.task import Task
from toolkit.tool import provide


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "Mutants", lambda env: Task(_change))


def _change(run: Run) -> None:
    options = run.options
    numbers = [str(options.MUTANTS), str(options.SEED)]
    run_program(run, "no mutant was tried", ["tests.mutants", *numbers, *options.PATHS.split(",")])
