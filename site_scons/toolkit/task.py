# SPDX-License-Identifier: MIT
"""What does something: the tasks of goals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit import scons
from toolkit.failures import failures
from toolkit.scons import Action, Environment, Node

if TYPE_CHECKING:
    from toolkit.run import Run


@dataclass(frozen=True)
class Task:
    """What a goal does each time it is typed, once what it needs is built.

    Attributes:
        function: `function(run, *files)`, on a Path for each of `needs`. It raises UserError for
            what a person can mend, and SystemExit where a program has said all there is to say.
        needs: the files that it is given.
        first: looks at what costs nothing to find out, before anything is built for the goal.
        unattended: what is done instead where nobody watches it, in a pipeline.
        inputs: what its result depends on besides what is built; while that is the same, a
            pipeline need not do it again. None if it depends on a device, which is asked each time.
        is_question: whether it only tells how things stand, and so waits for no other build.
    """

    function: Callable[..., object]
    needs: tuple[Node, ...] = ()
    first: Callable[[Run], object] | None = None
    unattended: Callable[..., object] | None = None
    inputs: tuple[Node | str, ...] | None = None
    is_question: bool = False

    @property
    def can_answer(self) -> bool:
        """Whether it is a question to which there is an answer by what stands."""
        return self.is_question and all(Path(str(node)).is_file() for node in self.needs)

    def perform(self, run: Run, *, attended: bool = True) -> None:
        """Do it."""
        function = self.function if attended else self.unattended or self.function
        files = [Path(str(node)) for node in self.needs]
        run.outputs.check(map(str, files))
        function(run, *files)

    def action(self, env: Environment) -> Action:
        """The task as SCons does it, when its goal is typed."""
        return scons.action(env, _Execution(self))


def question(function: Callable[..., None], needs: tuple[Node, ...] = ()) -> Task:
    """A task that answers, and changes nothing; while another builds here, by what it has found."""

    def answer(run: Run, *files: Path) -> None:
        try:
            function(run, *files)
        finally:
            if not run.summary.steps_run:
                run.summary.begun = False  # nothing was done that a last line could tell
                scons.forget_the_run()  # nor anything that is to be written down
                run.is_kept = False

    return Task(answer, needs, is_question=True)


class _Execution:
    """A task for SCons; an object, which it does not take apart as it does a closure."""

    def __init__(self, task: Task) -> None:
        self._task = task

    def __call__(self, target: list[Node], source: list[Node], env: Environment) -> None:
        with failures(target[0]):
            self._task.perform(env["RUN"])
