# SPDX-License-Identifier: MIT
"""Benchmarks.

Adds to the environment:
    env.Benchmarks()  a task that runs tests/bench, all or TOPICS, or BESIDE another commit; a table
                      and build/bench.json
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
    provide(env, "Benchmarks", lambda env: Task(_measure))


def _measure(run: Run) -> None:
    topics = run.options.TOPICS.split(",") if run.options.TOPICS is not None else []
    beside = ["--beside", run.options.BESIDE] if run.options.BESIDE is not None else []
    run_program(run, "the benchmark failed", ["tests.bench", *beside, *topics])
