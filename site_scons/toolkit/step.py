# SPDX-License-Identifier: MIT
"""What makes files: the steps of the graph."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from viper.base import console
from viper.base.contents import stamps
from viper.graph.fingerprint import fingerprint, parts
from viper.graph.step_log import flat
from viper.source.tree import Tree

from toolkit import scons
from toolkit.failures import failures
from toolkit.scons import Action, Environment, Node

if TYPE_CHECKING:
    from toolkit.run import Run


@dataclass(frozen=True)
class Made:
    """What a step has done, where its line does not say all.

    Attributes:
        line: what is shown.
        besides: files that it has made besides its targets.
        is_of_known_inputs: whether it was made from what the graph knows of its inputs: that was
            looked at when the run began, and a person may have saved something since.
    """

    line: str
    besides: Sequence[Path] = ()
    is_of_known_inputs: bool = True


class Step(NamedTuple):
    """A step as it was declared: `inputs` is what it depends on besides files, by name."""

    tag: str
    function: Callable[..., str | Made]
    besides: Callable[[Path], Sequence[Path] | None] | None
    arguments: dict[str, object]
    inputs: dict[str, object]


def step(
    env: Environment,
    tag: str,
    function: Callable[..., str | Made],
    *,
    uses: Iterable[str] = (),
    besides: Callable[[Path], Sequence[Path] | None] | None = None,
    how: dict[str, object] | None = None,
    **what: object,
) -> Action:
    """An action that runs `function(targets, sources, **what, **how)` on lists of Path.

    The function returns what its line says after the tag: a subject and a figure worth reading.
    What it reads that another step made is what that one made, and what it makes is noted
    (viper.graph.outputs). It raises UserError for what a person can mend.

    A step runs again when its function changes, a module of viper that it uses, one of `what`, or
    what it `uses` besides (see viper.graph.fingerprint). What is in `how` does not change the
    result: a number of jobs, a mirror. What a step makes besides its targets, `besides` has there
    when the first of these has come from the cache, or says None.
    """
    steps = env["RUN"].steps
    used = parts(function, uses)
    inputs = f"{tag} {fingerprint(used)} {sorted(what.items())!r}"
    steps[inputs] = Step(tag, function, besides, {**what, **(how or {})}, {**used, **what})

    # SCons signs a function by its code, by its defaults, of which it takes texts whole, and by
    # its closure: this one has none, for SCons would take each object there apart.
    def execute(
        target: list[Node], source: list[Node], env: Environment, inputs: str = inputs
    ) -> None:
        run = env["RUN"]
        step = run.steps[inputs]
        targets = [Path(str(node)) for node in target]
        files = [Path(str(node)) for node in source if scons.is_file(node)]
        known = _known(step, source)
        before = stamps(known)
        began = time.perf_counter()
        with failures(targets[0]):
            run.outputs.check(map(str, files))
            made = step.function(targets, files, **step.arguments)
            made = Made(made) if isinstance(made, str) else made
            console.step(step.tag, made.line)
            # One that was changed and restored meanwhile may have been read in between.
            is_overtaken = (
                not made.is_of_known_inputs or stamps(known) != before or _have_changed(run, known)
            )
            run.outputs.made(
                str(targets[0]),
                map(str, [*targets, *made.besides]),
                is_overtaken=is_overtaken,
            )
        if is_overtaken:
            env.NoCache(*target)
        seconds = time.perf_counter() - began
        run.log.ran(str(targets[0]), seconds, flat(step.inputs), files)

    return scons.action(env, execute, steps[inputs])


def _known(step: Step, sources: list[Node]) -> dict[str, str]:
    """The digest of each input that is a file, as the graph has written it down for this step."""
    known = {str(node): scons.signature(node) for node in sources if scons.is_file(node)}
    for tree in step.inputs.values():
        if isinstance(tree, Tree):
            known |= {path: digest.removesuffix("x") for path, digest in tree.files.items()}
    return known


def _have_changed(run: Run, known: dict[str, str]) -> bool:
    """Whether an input is not any more what the graph has written down for a step."""
    try:
        return any(run.contents.digest(path) != digest for path, digest in known.items())
    except OSError:  # one has gone
        return True
