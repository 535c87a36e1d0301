# SPDX-License-Identifier: MIT
"""The fuzzer of the server's core.

Adds to the environment:
    env.Fuzz()  a task that gives every fuzz target of tests/fuzz FUZZ_S seconds
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
    provide(env, "Fuzz", lambda env: Task(_fuzz))


def _fuzz(run: Run) -> None:
    found = "the fuzzer has found something"
    run_program(run, found, ["tests.fuzz", str(run.options.FUZZ_S)])
