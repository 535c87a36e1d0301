# SPDX-License-Identifier: MIT
"""Why a step would run. Looks at the nodes; builds and changes nothing.

Adds to the environment:
    env.Why()  a task that says what would run for the targets that are asked about, and why
"""

from __future__ import annotations

from pathlib import Path

from toolkit import explain, scons
from toolkit.run import Run
from toolkit.scons import Environment, Node
from toolkit.task import question
from toolkit.tool import provide
from viper.base import console
from viper.base.errors import UserError, nearest
from viper.graph import why


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "Why", lambda env: question(_why))
    _let_a_question_stand_alone(env["RUN"])


def _let_a_question_stand_alone(run: Run) -> None:
    """`why=flash` and `why flash` both ask about flash, and do not build it."""
    targets = scons.targets()
    if run.options.why is None and "why" not in targets:
        return
    others = [target for target in targets if target != "why"]
    run.asked = [run.options.why] if run.options.why is not None else others
    if targets:
        scons.type_instead(["why"])


def _why(run: Run) -> None:
    roots: list[Node] = []
    tasks = []
    for name in run.asked or [run.default]:
        if name in run.goals:
            goal = run.goals[name]
            roots += goal.nodes
            tasks += [name] if goal.tasks and goal.group == "Device" else []
        else:
            roots.append(_step_named(run, name))
    found = explain.steps(run, roots)
    if found:
        for line in why.lines(found, str(run.folder)):
            console.note(line)
    for path in run.trees.ignored:
        console.step("IGNORED", path)
    for name in tasks:
        console.note(f"{name} asks the device itself, each time")


def _step_named(run: Run, name: str) -> Node:
    """The node of a file that a step makes, by its path or its name."""
    everything = [node for goal in run.goals.values() for node in goal.nodes]
    made: dict[str, str] = {}
    for step in explain.steps(run, everything):
        for target in step.targets:
            made |= {target: target, Path(target).name: target}
    if name not in made:
        raise UserError(
            f"why={name}: nothing is called that{nearest(name, [*run.goals, *made])}",
            "./scons -h",
        )
    return scons.file_named(made[name])
