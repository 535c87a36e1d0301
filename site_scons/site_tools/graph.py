# SPDX-License-Identifier: MIT
"""The graph as it stands, as pictures and a page.

Adds to the environment:
    env.Graph()  a task that writes graph.svg, graph.html and overview.svg in build/<BOARD>
"""

from __future__ import annotations

from toolkit import explain
from toolkit.run import Run
from toolkit.scons import Environment
from toolkit.task import Task
from toolkit.tool import provide
from viper.base import console


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "Graph", lambda env: Task(_draw))


def _draw(run: Run) -> None:
    from viper.base import atomic_file
    from viper.graph import outline, page

    found = explain.steps(run, run.goals[run.default].nodes)
    tasks = [
        page.Task(name, tuple(str(node) for node in goal.nodes))
        for name, goal in run.goals.items()
        if goal.tasks and goal.group == "Device" and goal.nodes
    ]
    log = explain.log(run)["steps"]
    seconds = {step.name: log.get(step.name, {}).get("seconds", 0.0) for step in found}
    run.folder.mkdir(parents=True, exist_ok=True)
    picture = page.svg(page.dot(found, tasks, seconds))
    files = {
        "graph.svg": picture.encode(),
        "graph.html": page.page(run.board.name, picture, found, seconds),
        "overview.svg": page.svg(outline.dot(found, tasks)).encode(),
    }
    for name, content in files.items():
        atomic_file.write(run.folder / name, content)
        console.step("PAGE", f"{run.folder / name}")
