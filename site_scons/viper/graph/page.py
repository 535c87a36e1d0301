# SPDX-License-Identifier: MIT
"""The graph as a picture, drawn by graphviz, and as a page around it.

Files that no step makes are folded into their folders, and steps of one tag into one box when they
are many, so that a graph of thousands of files is still a page.
"""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from viper.base import process
from viper.base.console import human_size
from viper.base.errors import UserError
from viper.graph import rendering
from viper.graph.why import Step

_FOLD = 3  # more steps of one tag than this are one box
_DEPTH = 2  # folders that a file's box is named by
COLOURS = {
    "up to date": ("#e3f1e8", "#2e7d4f"),
    "may follow": ("#fbf0dd", "#b26a00"),
    "out of date": ("#fbe3c0", "#b26a00"),
    "device": ("#dde9f7", "#2563a8"),
    "files": ("#f3f3f3", "#777777"),
}


@dataclass(frozen=True)
class Task:
    """What is done to a device: the goal, and the outputs that it needs."""

    name: str
    needs: tuple[str, ...]


@dataclass(frozen=True)
class _Box:
    """Steps that are drawn as one."""

    name: str
    tag: str
    steps: tuple[Step, ...]
    seconds: float
    size: int

    @property
    def state(self) -> str:
        states = {step.state for step in self.steps}
        return next(s for s in ("out of date", "may follow", "up to date") if s in states)

    @property
    def why(self) -> str:
        """Why it would run; of many steps, how many would."""
        if len(self.steps) == 1:
            return "; ".join(self.steps[0].reasons)
        stale = sum(step.state == "out of date" for step in self.steps)
        return f"{stale} of {len(self.steps)} out of date" if stale else ""

    @property
    def makes(self) -> str:
        if len(self.steps) > 1:
            return f"{len(self.steps)} files"
        return ", ".join(Path(target).name for target in self.steps[0].targets)


def dot(steps: Sequence[Step], tasks: Iterable[Task], seconds: Mapping[str, float]) -> str:
    """The graph in graphviz's language.

    Args:
        seconds: what each step last took, by its first target.
    """
    boxes, box_of = _boxes(steps, seconds)
    lines = [
        "digraph graph_of_the_build {",
        'rankdir=LR; bgcolor="transparent"; nodesep=0.2; ranksep=0.5;',
        'node [shape=box, style="rounded,filled", fontname="sans-serif", fontsize=11];',
        'edge [color="#888888", arrowsize=0.6];',
    ]
    edges: Counter[tuple[str, str]] = Counter()
    for box in boxes:
        figures = ", ".join(filter(None, [_seconds(box.seconds), _human(box.size)]))
        lines.append(_node(box.name, f"{box.tag}\n{box.makes}\n{figures}".rstrip(), box.state))
        for step in box.steps:
            for before in step.after:
                if before in box_of and box_of[before] != box.name:
                    edges[box_of[before], box.name] += 1
    folders: dict[str, set[str]] = defaultdict(set)
    for box in boxes:
        for step in box.steps:
            for source in step.sources:
                folders[place_of(source)].add(source)
                edges[f"files {place_of(source)}", box.name] += 1
    for folder, files in folders.items():
        label = next(iter(files)) if len(files) == 1 else f"{folder}\n{len(files)} files"
        lines.append(_node(f"files {folder}", label, "files"))
    for task in tasks:
        lines.append(_node(f"task {task.name}", task.name, "device"))
        for need in task.needs:
            if need in box_of:
                edges[box_of[need], f"task {task.name}"] += 1
    lines += [f"{quoted(tail)} -> {quoted(head)};" for tail, head in edges]
    return "\n".join([*lines, "}", ""])


def svg(graph: str) -> str:
    """What graphviz draws.

    Raises:
        UserError: graphviz is missing.
    """
    program = shutil.which("dot")
    if program is None:
        raise UserError("graphviz is missing", "sudo apt install graphviz")
    done = subprocess.run(
        [program, "-Tsvg"],
        input=graph,
        capture_output=True,
        text=True,
        check=True,
        env=process.clean_environment(LC_ALL="C.UTF-8"),
    )
    return done.stdout


def page(board: str, picture: str, steps: Sequence[Step], seconds: Mapping[str, float]) -> bytes:
    """The page: the picture, and a table of all that is drawn.

    Args:
        picture: what `svg` returned.
    """
    rows = [
        {
            "tag": box.tag,
            "makes": box.makes,
            "seconds": _seconds(box.seconds),
            "size": _human(box.size),
            "state": box.state,
            "why": box.why,
        }
        for box in _boxes(steps, seconds)[0]
    ]
    return rendering.render("graph.html", picture[picture.index("<svg") :], board=board, steps=rows)


def _boxes(
    steps: Sequence[Step], seconds: Mapping[str, float]
) -> tuple[list[_Box], dict[str, str]]:
    """The boxes, and by every output's name the box that it is drawn in."""
    by_tag: dict[str, list[Step]] = defaultdict(list)
    for step in steps:
        by_tag[step.tag].append(step)
    boxes, box_of = [], {}
    for tag, all_of_tag in by_tag.items():
        groups = [all_of_tag] if len(all_of_tag) > _FOLD else [[step] for step in all_of_tag]
        for group in groups:
            name = f"{tag} {group[0].name}"
            targets = [target for step in group for target in step.targets]
            box_of.update(dict.fromkeys(targets, name))
            took = sum(seconds.get(step.name, 0.0) for step in group)
            boxes.append(_Box(name, tag, tuple(group), took, sum(map(_size, targets))))
    return boxes, box_of


def place_of(path: str) -> str:
    """The folder that a source is counted to."""
    parts = Path(path).parent.parts[:_DEPTH]
    return "/".join(parts) or path


def _size(path: str) -> int:
    file = Path(path)
    return file.stat().st_size if file.is_file() else 0


def _seconds(seconds: float) -> str:
    if not seconds:
        return ""
    return f"{seconds:.1f} s" if seconds >= 1 else f"{max(1, round(1000 * seconds))} ms"


def _human(size: int) -> str:
    return human_size(size) if size else ""


def _node(name: str, label: str, state: str) -> str:
    fill, line = COLOURS[state]
    return f'{quoted(name)} [label={quoted(label)}, fillcolor="{fill}", color="{line}"];'


def quoted(text: str) -> str:
    """A text in graphviz's language."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
