# SPDX-License-Identifier: MIT
"""Why a step of the graph would run, in words of what a person has changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from viper.graph.step_log import DIGEST_MARK

_MANY = 4  # reasons of one step that are told one by one


@dataclass(frozen=True)
class Step:
    """A step as it stands.

    Attributes:
        tag: what its line begins with ("GZIP").
        targets: the files that it makes.
        sources: the files that it reads and no step makes.
        after: the steps that make what it reads, each by its first target.
        reasons: why it would run now; none if it need not.
        awaits: of `after`, those that may bring it something new.
    """

    tag: str
    targets: tuple[str, ...]
    sources: tuple[str, ...]
    after: tuple[str, ...]
    reasons: tuple[str, ...]
    awaits: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its first target, by which other steps refer to it."""
        return self.targets[0]

    @property
    def state(self) -> str:
        """ "out of date", "may follow" or "up to date"."""
        return "out of date" if self.reasons else "may follow" if self.awaits else "up to date"


def lines(steps: Sequence[Step], build: str) -> list[str]:
    """One line for each step that would run or may follow, and a last one that counts them.

    Args:
        build: the folder of the outputs, which is left out of their names.
    """
    tags = {step.name: _short(step.name, build) for step in steps}
    told = []
    for step in steps:
        reasons = list(step.reasons)
        if step.awaits:
            reasons.append(f"may change with {_some(tags[name] for name in step.awaits)}")
        if reasons:
            told.append(f"{step.tag:<8} {tags[step.name]}: {'; '.join(reasons)}")
    states = [step.state for step in steps]
    would, may = states.count("out of date"), states.count("may follow")
    if not told:
        return [f"all {len(steps)} steps are up to date"]
    steps_would = f"{would} step{'' if would == 1 else 's'} would run"
    return [*told, f"{steps_would}, {may} may follow, {len(steps) - would - may} are up to date"]


def input_changes(old: Mapping[str, str] | None, new: Mapping[str, str]) -> list[str]:
    """What differs in what a step depends on besides files, as `step_log.flat` names it.

    Args:
        old: what it was last made from, None if nobody knows.
    """
    changes = []
    for name in sorted({*(old or {}), *new}) if old is not None else []:
        before, now = (old or {}).get(name), new.get(name)
        if before == now:
            continue
        if before is None or now is None or DIGEST_MARK in (before[:1], now[:1]):
            changes.append(f"{name} changed")
        else:
            was, is_now = ("unset" if value == "None" else value for value in (before, now))
            changes.append(f"{name} {was} → {is_now}")
    if len(changes) > _MANY:
        changes = [*changes[:_MANY], f"{len(changes) - _MANY} more"]
    return changes or ["its options, code or tools changed"]


def changed_lines(old: Sequence[int], new: Sequence[int]) -> str:
    """Which lines of a table differ: " line 6", " lines 6-8, 12", empty if nobody knows.

    Args:
        old, new: the checksums of its lines; of lines that are gone, the place is told.
    """
    from difflib import SequenceMatcher

    if not old:
        return ""
    spans = []
    for kind, _, _, first, end in SequenceMatcher(None, old, new, False).get_opcodes():
        if kind != "equal":
            last = max(end, first + 1)
            spans.append(f"{first + 1}" if last == first + 1 else f"{first + 1}-{last}")
    one = len(spans) == 1 and "-" not in spans[0]
    return f" line{'' if one else 's'} {', '.join(spans)}" if spans else ""


def file_changes(names: Iterable[str], one: str, many: str) -> list[str]:
    """`a.js is new`, each by its name; `a.js, b.js and 9 more are new` if they are many."""
    names = list(names)
    if len(names) <= _MANY:
        return [f"{name} {one}" for name in names]
    return [f"{_some(names)} {many}"]


def _some(names: Iterable[str]) -> str:
    """The first names of a list, and how many more there are."""
    names = list(names)
    more = f" and {len(names) - _MANY} more" if len(names) > _MANY else ""
    return ", ".join(names[:_MANY]) + more


def _short(path: str, build: str) -> str:
    return path.removeprefix(f"{build}/")
