# SPDX-License-Identifier: MIT
"""What a person types.

Adds to the environment:
    env.Goal(group, name, help, builds, runs, after, packages, default, ours)
"""

from __future__ import annotations

from toolkit import scons
from toolkit.run import Goal
from toolkit.scons import Environment, Nodes
from toolkit.task import Task
from toolkit.tool import provide
from viper.source import checkout


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "Goal", goal)


def goal(
    env: Environment,
    group: str,
    name: str,
    help: str,
    *,
    builds: Nodes = (),
    runs: Task | None = None,
    after: str = "",
    packages: str = "",
    default: bool = False,
    ours: bool = False,
) -> None:
    """Let `./scons NAME` bring something about.

    Args:
        group: the heading that it stands under in the help.
        help: one line.
        builds: the files that it makes, by the steps of them that are out of date.
        runs: what it then does, each time it is typed, and after the goals before it; that is no
            part of the graph unless it is typed.
        after: another goal, all of which is brought about before it.
        packages: the lock in requirements/ of what it needs besides a build's packages, which is
            installed when it is typed.
        default: whether it is the one of those who type none.
        ours: whether it is about ViperHTTP itself, and no other project has it.
    """
    if ours and not checkout.IS_HERE:
        return
    run = env["RUN"]
    before = run.goals[after] if after else Goal("", "")
    nodes = (*before.nodes, *env.Flatten(builds))
    made = run.goals[name] = Goal(group, help, nodes, before.tasks, runs)
    if default:
        run.default = name
    is_typed = name in (scons.targets() or [run.typed_by_default])
    if is_typed and run.other_build and runs is not None and runs.can_answer:
        run.answered.append(name)
        nodes = ()  # what stands is told about, and nothing built
    if is_typed and packages:
        run.packages.append(packages)
    if not made.tasks:
        env.Alias(name, nodes)
    elif is_typed:
        doing = env.Alias(name, nodes, [task.action(env) for task in made.tasks])
        env.AlwaysBuild(doing)
        env.Requires(doing, run.doing)
        run.doing = doing
        run.first += [task.first for task in made.tasks if task.first is not None]
