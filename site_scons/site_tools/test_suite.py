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
from viper.source import checkout


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "TestSuite", suite)


def suite(env: Environment, marks: str) -> Task:
    def test(run: Run) -> None:
        # One more than there are cores: a test often waits for its board. Those of a project of
        # one's own are few, and done before the workers would have begun.
        workers = [f"--numprocesses={1 + scons.jobs()}", "--dist=worksteal"]
        workers = workers if checkout.IS_HERE else []
        tests = run.project.tests
        if not Path(tests).is_dir():
            raise UserError(f"there is no folder {tests}", f"write {tests}/test_app.py")
        run_program(run, "tests fail", ["pytest", *workers, "-m", marks, tests])

    return Task(test, inputs=(env["RUN"].project.tests,))
