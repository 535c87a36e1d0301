# SPDX-License-Identifier: MIT
"""Why a step of the graph would run, in words of what a person has changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from viper.graph.step_log import DIGEST_MARK

_UNKNOWN = "its options, code or tools changed"
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


def input_changes(old: Mapping[str, str] | None, new_inputs: Mapping[str, str]) -> list[str]:
    """What differs in what a step depends on besides files, as `step_log.flat` names it.

    Args:
        old: what it was last made from, None if nobody knows.
    """
    if old is None:
        return [_UNKNOWN]
    values, changed, new, gone = [], [], [], []
    for name in sorted({*old, *new_inputs}):
        before, now = old.get(name), new_inputs.get(name)
        if before == now:
            continue
        if DIGEST_MARK not in ((before or "")[:1], (now or "")[:1]):
            was, is_now = ("unset" if each in (None, "None") else each for each in (before, now))
            values.append(f"{name} {was} → {is_now}")
        elif before is None:
            new.append(name)
        elif now is None:
            gone.append(name)
        else:
            changed.append(name)
    if len(values) > _MANY:
        values = [*values[:_MANY], f"{len(values) - _MANY} more"]
    files = file_changes(changed, "changed", "changed")
    files += file_changes(new, "is new", "are new") + file_changes(gone, "is gone", "are gone")
    return values + files or [_UNKNOWN]


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
