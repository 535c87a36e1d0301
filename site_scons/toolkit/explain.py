# SPDX-License-Identifier: MIT
"""The graph explained: its steps, and why each would run. Looks at the nodes, changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from viper.graph import step_log, why
from viper.source.tree import Tree

from toolkit import scons
from toolkit.run import Run
from toolkit.scons import Node, Remembered


def log(run: Run) -> Any:
    """What each step was last made from (see viper.graph.step_log)."""
    return step_log.load(run.folder / "steps.json")


def steps(run: Run, roots: Iterable[Node]) -> list[why.Step]:
    """The steps that lead to some nodes, each after those that it needs (see viper.graph.why)."""
    logged = log(run)
    found: dict[str, why.Step] = {}
    for node in roots:
        _visit(run, node, logged, found)
    return list(found.values())


def _visit(run: Run, root: Node, logged: Any, found: dict[str, why.Step]) -> None:
    """Add the steps below a node to `found`, by their first target; depth first, no recursion."""
    waiting = [(root, False)]
    while waiting:
        node, is_ready = waiting.pop()
        if not scons.is_made(node) or str(_first(node)) in found:
            continue
        if is_ready:
            step = _described(run, _first(node), logged, found)
            found[step.name] = step
        else:
            waiting.append((node, True))
            waiting += [(child, False) for child in reversed(scons.children(node))]


def _first(node: Node) -> Node:
    """The node that stands for all that a step makes at once."""
    return scons.made_with(node)[0]


def _described(run: Run, node: Node, logged: Any, found: dict[str, why.Step]) -> why.Step:
    children = scons.children(node)
    files = [child for child in children if scons.is_file(child)]
    # Of a file that serves many steps, each depends on its own part alone, as a value.
    parts = [child.name for child in children if scons.is_value(child)]
    step = scons.step_of(node)
    trees = [path for each in step.inputs.values() if isinstance(each, Tree) for path in each.files]
    after = dict.fromkeys(str(_first(child)) for child in files if scons.is_made(child))
    return why.Step(
        tag=step.tag,
        targets=tuple(str(each) for each in scons.made_with(node)),
        sources=(*[str(child) for child in files if not scons.is_made(child)], *parts, *trees),
        after=tuple(after),
        reasons=tuple(_reasons(run, node, logged, found)),
        awaits=tuple(name for name in after if found[name].state != "up to date"),
    )


def _reasons(run: Run, node: Node, logged: Any, found: dict[str, why.Step]) -> list[str]:
    """Why a step would run, whatever the steps before it do."""
    before = Remembered(node)
    missing = [str(each) for each in scons.made_with(node) if not scons.exists(each)]
    # One that was never made is new itself, and so is what it is made from.
    gone = [Path(path).name for path in missing if run.outputs.knows(path)]
    if gone and before.is_known:
        return why.file_changes(gone, "is gone", "are gone")
    if missing and not before.is_known:
        return ["not made yet"]
    if not before.is_known:
        return ["nobody knows what it was made from"]
    of_step = logged["steps"].get(str(node), {})
    changed, new = [], []
    for child in scons.children(node):
        if scons.is_value(child):
            changed += [] if before.has(child) else [child.name]
        elif scons.is_made(child) and found[str(_first(child))].state != "up to date":
            continue  # what it will be is not known yet
        elif not before.has(child):
            new.append(str(child))
        elif not scons.exists(child):
            changed.append(str(child))
        elif before.differs(child):
            old = of_step.get("lines", {}).get(str(child), [])
            lines = why.changed_lines(old, step_log.checksums(Path(str(child)))) if old else ""
            changed.append(f"{child}{' changed' + lines if lines else ''}")
    there = {str(child) for child in scons.children(node)}
    gone = [name for name in before.files() if name not in there]
    told = [name for name in changed if " changed line" in name]
    others = [name for name in changed if name not in told]
    reasons = told + why.file_changes(others, "changed", "changed")
    reasons += why.file_changes(new, "is new", "are new")
    reasons += why.file_changes(gone, "is gone", "are gone")
    reasons += run.not_to_stay(str(node))
    if before.is_of_another_action():
        reasons += why.input_changes(
            logged["inputs"].get(of_step.get("inputs")), step_log.flat(scons.step_of(node).inputs)
        )
    return reasons or why.file_changes([Path(path).name for path in missing], "is new", "are new")
