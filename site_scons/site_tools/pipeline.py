# SPDX-License-Identifier: MIT
"""From sources to a verdict: what the goals do as nodes, each after the one before it.

Adds to the environment:
    env.Pipeline(image, record, then)  the page that a run ends in

A step's node is a stamp in build/<BOARD>/pipeline/ that says what is true since the step was done.
A step that asks the device is done each time, for only the device knows; one that takes long and
depends on nothing but its inputs is done when one of them has changed. What a step prints is its
log; when one fails, the page is written before SCons is told.
"""

from __future__ import annotations

import atexit
import json
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from toolkit import scons
from toolkit.failures import failures
from toolkit.run import Run
from toolkit.scons import Environment, Node, Nodes
from toolkit.task import Task
from toolkit.tool import provide
from viper.base import atomic_file, console
from viper.base.errors import UserError, nearest
from viper.graph import pipeline

_GOAL = "pipeline"
_BUILD = "build"
_LEARNED = ("mac", "build", "host")  # of what the device has told
_LAST_LINES = 3  # of the log, that a failed step is told with


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "Pipeline", declare)


def declare(env: Environment, image: Nodes, record: Node, then: Sequence[str]) -> list[Node]:
    """Declare the nodes of the steps that are wanted, if this is what was typed.

    Args:
        image: the nodes of the build, which is the first step.
        record: the build's record.
        then: what is done after it, by the names of goals that were declared before. Those that
            depend on a device are done each time; the others are still true while their inputs are
            what they were.
    """
    if _GOAL not in scons.targets():
        return []
    run = env["RUN"]
    steps = _Pipeline(run, [_BUILD, *then])
    before = steps.node(env, _BUILD, image, Task(steps.built, needs=(record,)))
    for name in then:
        if steps.wanted(name):
            task = run.goals[name].task
            assert task is not None, f"{name} does nothing"
            inputs = task.inputs or ()
            before = steps.node(env, name, [before, record, *map(_files, inputs)], task)
            if task.inputs is None:
                env.AlwaysBuild(before)
    page = env.Command([str(path) for path in steps.page], before, Task(steps.end).action(env))
    env.AlwaysBuild(page)
    env.NoCache(page)
    return page


class _Pipeline:
    """The run that was typed, and how its nodes tell it what they did."""

    def __init__(self, run: Run, names: Sequence[str]) -> None:
        self._run = run
        self._record = pipeline.Run(run.folder, [pipeline.Step(name) for name in names])
        self._record.links["performance"] = "perf.html"
        self._record.facts["board"] = f"{run.options.BOARD} at PORT={run.options.PORT}"
        self._record.facts.update(pipeline.versions())
        self._stamps = run.folder / "pipeline"
        self._began = time.monotonic()
        self._told = False
        self.page = [run.folder / "pipeline.html", run.folder / "pipeline.json"]
        for name, why in _left_out(run, names).items():
            step = self._record.step(name)
            step.state, step.why = pipeline.LEFT_OUT, why
        # The nodes of the build are not ours: what they print until the next step is their log.
        self._building = ExitStack()
        self._building.enter_context(console.copied(self._record.step(_BUILD).heard))
        atexit.register(self._build_failed)

    def wanted(self, name: str) -> bool:
        return self._record.step(name).state != pipeline.LEFT_OUT

    def node(self, env: Environment, name: str, sources: Nodes, task: Task) -> Node:
        """The stamp of a step."""
        stamp = self._stamps / f"{name}.json"
        carried_out = Task(lambda run: self._carry_out(name, task, stamp))
        node = env.Command(str(stamp), sources, carried_out.action(env))
        env.NoCache(node)
        return node[0]

    def _carry_out(self, name: str, task: Task, stamp: Path) -> None:
        """Do a step, and write its stamp."""
        self._perform(self._record.step(name), task, stamp)
        learned = self._run.learned
        told = {key: learned[key] for key in _LEARNED if key in learned}
        self._record.facts.update(told)
        atomic_file.write_json(stamp, {"step": name, **told})

    def built(self, run: Run, record: Path) -> None:
        """The build is done, all nodes of it."""
        build = json.loads(record.read_text(encoding="utf-8"))["build"]
        self._record.facts["build"] = build

    def end(self, run: Run) -> None:
        """All steps are true: the page says so."""
        self._building.close()
        self._passed_by(self._record.steps)
        for path in sorted(self._stamps.glob("*.json")):
            for key, value in json.loads(path.read_text(encoding="utf-8")).items():
                if key in _LEARNED:
                    self._record.facts.setdefault(key, value)
        self._told = True
        console.step("PIPELINE", f"{self._record.line()}, {self._record.write()}")

    def _perform(self, step: pipeline.Step, task: Task, stamp: Path) -> None:
        """Do what a goal does, and keep what it prints."""
        if step.name != _BUILD:
            self._building.close()
            self._began = time.monotonic()
            console.note(f"== {step.name}")
        ran = self._run.summary.steps_run
        try:
            with console.copied(step.heard), failures(stamp):
                task.perform(self._run, attended=False)
        except BaseException as problem:
            if isinstance(problem, UserError):
                step.heard(f"error: {problem}")
            self._failed(step, _reason(step, problem))
            raise
        step.seconds = time.monotonic() - self._began
        unchanged = step.name in ("flash", "sync") and self._run.summary.steps_run == ran
        step.state = pipeline.STILL_TRUE if unchanged else pipeline.DONE

    def _passed_by(self, steps: Sequence[pipeline.Step]) -> None:
        """Of these, those that SCons did not come to are up to date."""
        for step in steps:
            if step.state == pipeline.NOT_REACHED:
                step.state = pipeline.STILL_TRUE
                since = (self._stamps / f"{step.name}.json").stat().st_mtime
                step.why = f"since {time.strftime('%Y-%m-%d %H:%M', time.localtime(since))}"

    def _failed(self, step: pipeline.Step, why: str) -> None:
        step.state, step.why = pipeline.FAILED, why
        steps = self._record.steps
        self._passed_by(steps[: steps.index(step)])
        step.seconds = time.monotonic() - self._began
        self._told = True
        page = self._record.write()
        console.step("STOPPED", f"at {step.name}; its last lines, and {page} has more:")
        for line in [line for line in step.log if line.strip()][-_LAST_LINES:]:
            console.note(f"  | {line}")

    def _build_failed(self) -> None:
        """At the end of SCons: a node of the build may have failed, which is none of the stamps."""
        self._building.close()
        failed = scons.failures()
        if failed and not self._told:
            self._failed(self._record.step(_BUILD), _one_line(failed[0]))


def _files(name: Node | str) -> Nodes:
    """The files of a folder, to which a cache does not belong; a file or a node as it is."""
    if not isinstance(name, str) or not Path(name).is_dir():
        return name
    files = sorted(path for path in Path(name).rglob("*") if path.is_file())
    return [str(path) for path in files if "__pycache__" not in path.parts]


def _left_out(run: Run, names: Sequence[str]) -> dict[str, str]:
    """Why steps are not declared, by their names: UNTIL and SKIP."""
    until = run.options.UNTIL
    skip = [name for name in (run.options.SKIP or "").split(",") if name]
    for name in [*skip, until]:
        if name and name not in names:
            raise UserError(
                f"the pipeline has no step '{name}'{nearest(name, names)}",
                f"its steps: {', '.join(names)}",
            )
    if _BUILD in skip:
        raise UserError("the pipeline cannot skip build", "name the goals themselves instead")
    reasons = {name: f"SKIP={run.options.SKIP}" for name in skip}
    if until:
        reasons.update(dict.fromkeys(names[names.index(until) + 1 :], f"UNTIL={until}"))
    return reasons


def _reason(step: pipeline.Step, problem: BaseException) -> str:
    """Why a step failed, on one line."""
    if not isinstance(problem, SystemExit):
        return _one_line(problem)
    told = [line for line in step.log if line.startswith(("worse", "over the limit"))]
    return "; ".join(told) or f"exit status {problem.code}"


def _one_line(problem: BaseException) -> str:
    return "; ".join(line.strip() for line in str(problem).splitlines()) or type(problem).__name__
