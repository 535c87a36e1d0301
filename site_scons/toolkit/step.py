# SPDX-License-Identifier: MIT
"""What makes files: the steps of the graph."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from viper.base import console
from viper.graph.fingerprint import fingerprint, parts
from viper.graph.step_log import flat

from toolkit import scons
from toolkit.failures import failures
from toolkit.scons import Action, Environment, Node


class Step(NamedTuple):
    """A step as it was declared: `inputs` is what it depends on besides files, by name."""

    tag: str
    function: Callable[..., str]
    arguments: dict[str, object]
    inputs: dict[str, object]


def step(
    env: Environment,
    tag: str,
    function: Callable[..., str],
    *,
    uses: Iterable[str] = (),
    how: dict[str, object] | None = None,
    **what: object,
) -> Action:
    """An action that runs `function(targets, sources, **what, **how)` on lists of Path.

    The function returns what its line says after the tag: a subject and a figure worth reading.
    It raises UserError for what a person can mend.

    A step runs again when its function changes, a module of viper that it uses, one of `what`, or
    what it `uses` besides (see viper.graph.fingerprint). What is in `how` does not change the
    result: a number of jobs, a mirror.
    """
    steps = env["RUN"].steps
    used = parts(function, uses)
    inputs = f"{tag} {fingerprint(used)} {sorted(what.items())!r}"
    steps[inputs] = Step(tag, function, {**what, **(how or {})}, {**used, **what})

    # SCons signs a function by its code, by its defaults, of which it takes texts whole, and by
    # its closure: this one has none, for SCons would take each object there apart.
    def execute(
        target: list[Node], source: list[Node], env: Environment, inputs: str = inputs
    ) -> None:
        run = env["RUN"]
        step = run.steps[inputs]
        targets = [Path(str(node)) for node in target]
        files = [Path(str(node)) for node in source if scons.is_file(node)]
        began = time.perf_counter()
        with failures(targets[0]):
            console.step(step.tag, step.function(targets, files, **step.arguments))
        seconds = time.perf_counter() - began
        run.log.ran(str(targets[0]), seconds, flat(step.inputs), files)

    return scons.action(env, execute, steps[inputs])
