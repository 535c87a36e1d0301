# SPDX-License-Identifier: MIT
"""The test suite.

Adds to the environment:
    env.TestSuite(marks)  a task that runs pytest over the tests with these marks
"""

from __future__ import annotations

from pathlib import Path

from toolkit import scons
from toolkit.programs import run_program
from toolkit.run import Run
from toolkit.scons import Environment
from toolkit.task import Task
from toolkit.tool import provide
from viper.base.errors import UserError


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "TestSuite", suite)


def suite(env: Environment, marks: str) -> Task:
    def test(run: Run) -> None:
        # One more than there are cores: a test often waits for its board.
        workers = [f"--numprocesses={1 + scons.jobs()}", "--dist=worksteal"]
        tests = run.project.tests
        if not Path(tests).is_dir():
            raise UserError(f"there is no folder {tests}", f"write {tests}/test_app.py")
        run_program(run, "tests fail", ["pytest", *workers, "-m", marks, tests])

    return Task(test, inputs=(env["RUN"].project.tests,))
