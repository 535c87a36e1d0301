# SPDX-License-Identifier: MIT
"""The graph in few boxes: what comes of what, from the sources to a device.

Steps that only follow one another are one box, and so are what stands side by side for the same
purpose; an arrow that others imply is left out. What remains is the shape of the graph, which
`viper.graph.page` shows in full.
"""

from __future__ import annotations

import html
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from viper.graph.page import COLOURS, Task, place_of, quoted
from viper.graph.why import Step

_DEVICE = "device"
_TO_A_LINE = 2  # goals in the device's box
_ROW = '<tr><td align="left"><font point-size="10" color="{colour}">{left}</font></td>{right}</tr>'


@dataclass
class _Box:
    """What is drawn as one, and the boxes that it needs."""

    rows: list[tuple[str, str]]  # a step's tag, and what it makes; a source has no tag
    kind: str  # of graph_page.COLOURS
    needs: set[str]

    @property
    def name(self) -> str:
        return " ".join(tag or made for tag, made in self.rows)


def dot(steps: Sequence[Step], tasks: Iterable[Task]) -> str:
    """The overview in graphviz's language."""
    boxes = _by_tag(steps)
    boxes[_DEVICE] = _device(list(tasks), steps)
    _leave_out_the_implied(boxes)
    _join_chains(boxes)
    _join_siblings(boxes)
    names = {key: box.name for key, box in boxes.items()}
    lines = [
        "digraph overview {",
        'rankdir=LR; bgcolor="transparent"; nodesep=0.16; ranksep=0.42; pad=0.05;',
        'node [shape=box, style="rounded,filled", fontname="Helvetica,Arial,sans-serif",'
        ' fontsize=12, margin="0.09,0.05", height=0.3, penwidth=1.2];',
        'edge [color="#8b949e", arrowsize=0.7, penwidth=1.2];',
    ]
    for box in boxes.values():
        fill, line = COLOURS[box.kind]
        lines.append(
            f'{quoted(box.name)} [label=<{_label(box, line)}>, fillcolor="{fill}", color="{line}"];'
        )
    for key, box in boxes.items():
        lines += [f"{quoted(names[need])} -> {quoted(names[key])};" for need in sorted(box.needs)]
    begin = "; ".join(quoted(box.name) for box in boxes.values() if box.kind == "files")
    return "\n".join([*lines, f"{{rank=same; {begin}}}", "}", ""])


def shape(picture: str) -> set[str]:
    """The names of a picture's boxes and arrows, by which two pictures can be compared.

    Args:
        picture: an SVG of `dot`, by whatever version of graphviz.
    """
    titles = re.findall(r"<title>(.*?)</title>", picture)
    return {html.unescape(title) for title in titles} - {"overview"}


def _by_tag(steps: Sequence[Step]) -> dict[str, _Box]:
    """A box for all steps of a tag, and one for each folder or file that they begin with."""
    tags = {step.name: step.tag for step in steps}
    boxes: dict[str, _Box] = {}
    sources: dict[str, set[str]] = defaultdict(set)
    for step in steps:
        for source in step.sources:
            sources[place_of(source)].add(source)
    for step in steps:
        if step.tag not in boxes:
            of_tag = [each for each in steps if each.tag == step.tag]
            boxes[step.tag] = _Box([(step.tag, _made(of_tag))], "up to date", set())
        boxes[step.tag].needs |= {tags[name] for name in step.after if name in tags}
        for source in step.sources:
            place = place_of(source)
            files = sources[place]
            shown = source if len(files) == 1 else f"{place}/"
            boxes.setdefault(shown, _Box([("", shown)], "files", set()))
            boxes[step.tag].needs.add(shown)
    for tag, box in boxes.items():
        box.needs.discard(tag)
    return boxes


def _made(steps: Sequence[Step]) -> str:
    targets = [Path(target) for step in steps for target in step.targets]
    first = targets[0]
    are_alike = len({target.suffix for target in targets}) == 1 < len(targets)
    return f"{first.parent.name}/*{first.suffix}" if are_alike else first.name


def _device(tasks: Sequence[Task], steps: Sequence[Step]) -> _Box:
    tag_of = {target: step.tag for step in steps for target in step.targets}
    goals = [task.name for task in tasks]
    lines = [goals[at : at + _TO_A_LINE] for at in range(0, len(goals), _TO_A_LINE)]
    needs = {tag_of[need] for task in tasks for need in task.needs if need in tag_of}
    return _Box([("device", ""), *[("", ", ".join(line)) for line in lines]], "device", needs)


def _leave_out_the_implied(boxes: Mapping[str, _Box]) -> None:
    """Leave out a need of a box that another need of it has, directly or not."""

    def all_below(key: str) -> set[str]:
        return boxes[key].needs.union(*map(all_below, boxes[key].needs))

    below = {key: all_below(key) for key in boxes}
    for box in boxes.values():
        box.needs -= {need for need in box.needs for other in box.needs if need in below[other]}


def _join_chains(boxes: dict[str, _Box]) -> None:
    """Make one box of two steps of which nothing but the second needs the first."""
    for key in list(boxes):
        steps_before = [need for need in boxes[key].needs if boxes[need].kind == "up to date"]
        if boxes[key].kind != "up to date" or len(steps_before) != 1:
            continue
        (before,) = steps_before
        if [other for other in boxes if before in boxes[other].needs] == [key]:
            first = boxes.pop(before)
            box = boxes[key]
            box.rows[:0] = first.rows
            box.needs = (box.needs | first.needs) - {before}


def _join_siblings(boxes: dict[str, _Box]) -> None:
    """Make one box of those that need nothing and are needed by the same."""
    alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for key, box in boxes.items():
        if not box.needs:
            users = (other for other in boxes if key in boxes[other].needs)
            alike[(box.kind, *users)].append(key)
    for first, *others in alike.values():
        for other in others:
            boxes[first].rows += boxes.pop(other).rows
        for box in boxes.values():
            box.needs -= set(others)


def _label(box: _Box, colour: str) -> str:
    """A table in graphviz's kind of HTML: a row for each step, its tag before what it makes."""
    rows = []
    for left, right in box.rows:
        if left and right:
            made = f'<td align="left">{html.escape(right)}</td>'
            rows.append(_ROW.format(colour=colour, left=html.escape(left), right=made))
        else:
            shown = f"<b>{html.escape(left)}</b>" if left else html.escape(right)
            rows.append(f'<tr><td align="left" colspan="2">{shown}</td></tr>')
    return f'<table border="0" cellspacing="0" cellpadding="2">{"".join(rows)}</table>'
